"""The hand-painted grid: geometry, painter, view, editor, clipboard and formula bar."""
