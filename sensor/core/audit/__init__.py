# SPDX-License-Identifier: Apache-2.0
"""The audit of a host: what a path, a line or a manifest means, and what many of them show."""
