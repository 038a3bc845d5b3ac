"""The task's own loss."""

from infofuse.objectives.objective import Objective, Term
from infofuse.tasks import Task
from infofuse.types import Batch, Output


class Supervised(Objective):
    """The task's loss of the prediction against the labels, clips without a label left out."""

    nonnegative = True

    def __init__(self, task: Task, name: str = "task"):
        super().__init__()
        self.task, self.name = task, name

    def forward(self, output: Output, batch: Batch) -> dict[str, Term]:
        loss = self.task.loss(output.prediction, batch.labels)
        return {self.name: Term(loss, loss.detach())}
