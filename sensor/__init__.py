# SPDX-License-Identifier: Apache-2.0
"""agent-sensor: what AI coding tools do on this host, seen from the kernel."""
