"""A rating set in the window: session, workbook and what of it is looked at; no Qt."""
