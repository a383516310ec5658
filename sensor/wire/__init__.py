# SPDX-License-Identifier: Apache-2.0
"""The wire: bytes to facts and back, without ever looking outside."""
