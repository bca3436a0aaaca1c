"""Solver on an open workbook: problem, session, report, and a model as text."""
