# SPDX-License-Identifier: Apache-2.0
"""`make bench`: what the sensor costs and how fast it is, on this machine."""
