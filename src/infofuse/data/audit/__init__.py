"""Whether a data set can be trusted: counts, duplicates, overlap between splits, label leaks."""

from dataclasses import asdict, dataclass

from infofuse.data import known
from infofuse.data.audit.content import content
from infofuse.data.audit.finding import SEVERITIES, Finding
from infofuse.data.audit.leak import Skill, leaks, skills
from infofuse.data.audit.overlap import overlap
from infofuse.data.audit.published import compare
from infofuse.data.corpus import Corpus
from infofuse.data.describe import Description, describe
from infofuse.data.recognise import published_split
from infofuse.types import Json


@dataclass(frozen=True)
class Audit:
    """What was found, the gravest first. compared_with: the data set whose tables were used."""

    description: Description
    compared_with: str | None
    findings: tuple[Finding, ...]
    skills: tuple[Skill, ...]

    @property
    def passed(self) -> bool:
        """Whether there is no finding of severity error."""
        return all(finding.severity != "error" for finding in self.findings)

    def to_json(self) -> Json:
        """The fields as JSON has them."""
        return {"passed": self.passed, **asdict(self)}


def audit(corpus: Corpus, dataset: str | None = None) -> Audit:
    """Look at every clip of every split, the test split too, and at no model.

    dataset: the name of what it should be (see `infofuse.data.known`); without one, what its counts
    say that it is. Raises InfofuseError for a name that is not known.
    """
    recognised = published_split(corpus)
    expected = known.get(dataset) if dataset else recognised[0] if recognised else None
    description = describe(corpus)
    measured = skills(corpus)
    findings = [
        *(compare(corpus, expected) if expected else []),
        *overlap(corpus, mixed=recognised is not None and not recognised[1].by_group),
        *leaks(measured),
        *content(corpus, description),
        *(Finding("note", "reader", note) for note in corpus.notes),
    ]
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    title = expected.title if expected else None
    return Audit(description, title, tuple(findings), tuple(measured))


__all__ = ["Audit", "Finding", "Skill", "audit"]
