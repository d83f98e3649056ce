"""What is asked of an exploration, and what can be refused of it before anything is trained.

In: a project and a `Request`. Out: the family, the part and the limits that it comes to, or one clear error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hlsflow.core.choices import Family
from hlsflow.core.errors import ProjectError
from hlsflow.explore.cluster import require_cluster
from hlsflow.explore.figures import require_metrics, whole_weights
from hlsflow.explore.front import require_front
from hlsflow.explore.search import Question
from hlsflow.project import Project
from hlsflow.toolchains import parts


@dataclass(frozen=True)
class Request:
    """What is asked for on the command line; the project file says the rest.

    Attributes:
        front: two or three metrics of a Pareto front; empty: one optimum.
        objective: metric → weight, of that optimum.
        limits: metric → largest value allowed; these go before the project's budget.
        part, utilisation: a part of which that share may be used.
        per_second: inferences a second at the clock of the project, at least.
        family: device family; None: that of the part, or the project's first.
        confirm: how many points are synthesized whole.
        most: points after which a front ends; None: never before its end.
        cluster: instead of the project's.
        fine_tune: number of the point whose network is trained some more; None: of none.
    """

    front: tuple[str, ...] = ("latency_cycles", "lut")
    objective: Mapping[str, float] = field(default_factory=dict)
    limits: Mapping[str, int] = field(default_factory=dict)
    part: str | None = None
    utilisation: float = 1.0
    per_second: float | None = None
    family: str | None = None
    confirm: int = 3
    most: int | None = None
    cluster: str | None = None
    fine_tune: int | None = None


def question_of(project: Project, request: Request) -> tuple[Family, Question]:
    """The family and the question, both sound; raises ProjectError, before anything is trained."""
    family = family_of(project, request)
    question = Question(limits_of(project, request, family), request.objective, request.front, request.most)
    require_metrics(question.limits)
    if question.front:
        require_front(question.front)
    else:
        whole_weights(question.objective)
    for option, value in (("--confirm", request.confirm), ("--points", request.most)):
        least = 1 if option == "--points" else 0
        if value is not None and value < least:
            raise ProjectError(f"{option} {value} is no number of points", f"write {least} or more")
    require_cluster(where_of(project, request))
    _require_tunable(project, request)
    return family, question


def where_of(project: Project, request: Request) -> str:
    """The cluster that is meant."""
    return request.cluster or project.explore.cluster


def _require_tunable(project: Project, request: Request) -> None:
    """Refuse to fine-tune what is no point of any answer, or cannot be trained."""
    point, most = request.fine_tune, request.most if request.front else 1
    if point is None:
        return
    if point < 1 or (most is not None and point > most):
        raise ProjectError(f"there is no point {point}", f"write 1{f' to {most}' if most else ' or more'}")
    if project.training is None:
        message = f"'{project.name}' brings a trained model, and nothing to train it on"
        raise ProjectError(message, "leave out --fine-tune, or give the project a [training] table")
    if not project.explore.weight_bits:
        message = "--fine-tune trains networks whose weights are narrowed, and [explore] narrows none"
        raise ProjectError(message, "set explore.weight_bits, such as [4, 5], or leave out --fine-tune")


def family_of(project: Project, request: Request) -> Family:
    """That of the part or request, or the project's first; raises ProjectError where these contradict each other."""
    if request.part is not None:
        family = parts.resources(request.part).family
        if request.family not in (None, family):
            raise ProjectError(f"part {request.part} is {family}, not {request.family}", "leave out --family")
        return family
    return Family(request.family or project.target.families[0])


def part_of(project: Project, request: Request, family: Family) -> str | None:
    """The part of which figures are told in per cent: that of the request, or the project's for this family."""
    return request.part or parts.of_family(family, project.target.route_part, project.target.part)


def limits_of(project: Project, request: Request, family: Family) -> dict[str, int]:
    """All limits; of two on one metric the tighter one, but what is asked for goes before the project's budget."""
    budget = project.budgets.get(family)
    own = budget.model_dump(exclude_none=True) if budget else {}
    limits: dict[str, int] = {**own, **request.limits}
    offered = parts.resources(request.part).budget(request.utilisation) if request.part else {}
    if request.per_second is not None:
        offered["ii"] = interval(request.per_second, project.target.clock_ns)
    for name, most in offered.items():
        limits[name] = min(limits.get(name, most), most)
    return limits


def interval(per_second: float, clock_ns: float) -> int:
    """The largest initiation interval, cycles, that makes so many inferences a second at a clock.

    Raises:
        ProjectError: not even one a cycle does.
    """
    cycles = int(1e9 / (per_second * clock_ns)) if per_second > 0 else 0
    if cycles < 1:
        most = 1e9 / clock_ns
        raise ProjectError(
            f"{per_second:g} inferences a second at {clock_ns:g} ns a cycle cannot be had",
            f"ask for more than 0 and up to {most:g}, or for a faster clock",
        )
    return cycles
