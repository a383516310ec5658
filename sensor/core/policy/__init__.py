# SPDX-License-Identifier: Apache-2.0
"""Policy: its text, what it says of an attempt, and the tables that the kernel keeps it by."""
