"""What can be exported without a window: workbook, sheet, and a run as a program."""
