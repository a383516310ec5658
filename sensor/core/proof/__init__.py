# SPDX-License-Identifier: Apache-2.0
"""Proof: the ways around a policy, as data, and what came of trying them; pure."""
