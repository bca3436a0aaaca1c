"""Train the lesson of the fifteen films without a window and show the best and worst prediction.

Run: python examples/train_a_lesson.py
"""

import numpy as np

from gradsheet.app.document import Document
from gradsheet.formula.address import Region

document = Document()
document.open_lesson("bias", seed=1)
document.set_optimizer("adam")
document.finish()
document.set_hyper(lr=0.05)
print(f"start  {document.loss_now():.4f}")
document.step_run(1500)
document.finish()
print(f"end    {document.loss_now():.4f} after {document.run_view().step:,} steps")

cells = document.workbook.sheets[0].cells
actual, kinds = cells.read(Region.parse("H2:V16"))
predicted, _ = cells.read(Region.parse("H26:V40"))
error = np.where(kinds == 1, np.abs(actual - predicted), np.nan)
user, film = np.unravel_index(np.nanargmax(error), error.shape)
labels = document.workbook.sheets[0]
print(
    f"worst  {labels.row_labels[1 + user]}, {labels.column_labels[7 + film]}: "
    f"rated {actual[user, film]}, predicted {predicted[user, film]:.2f}"
)
document.close()
