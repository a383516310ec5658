# SPDX-License-Identifier: Apache-2.0
"""The processes: they introduce the core, the wire and the edges to each other."""
