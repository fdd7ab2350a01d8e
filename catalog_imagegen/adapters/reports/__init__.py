"""Reports for merchandisers: one page, one workbook, and the small pictures in them."""
