# SPDX-License-Identifier: Apache-2.0
"""The core: facts in, actions out. It computes and never looks outside."""
