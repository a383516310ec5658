# SPDX-License-Identifier: Apache-2.0
"""The edges: each file owns one library or one outside thing. They do not know each other."""
