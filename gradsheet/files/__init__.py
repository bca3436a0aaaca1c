"""Files that gradsheet reads and writes: workbooks, sessions, exports."""
