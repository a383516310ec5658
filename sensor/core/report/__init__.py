# SPDX-License-Identifier: Apache-2.0
"""The report of a case: what a page shows, as values; how it looks is the templates' business."""
