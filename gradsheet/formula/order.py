"""Strongly connected parts of a graph in the order in which to compute them.

Owns Tarjan's algorithm without recursion. Knows nothing of blocks or cells.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence


def strong_components(precedents: Sequence[Collection[int]]) -> list[list[int]]:
    """Groups of nodes that reach each other, each group after everything it reads.

    Parameters
    ----------
    precedents : for every node the nodes that it reads

    Returns
    -------
    list of groups, each in ascending order (Tarjan 1972, without recursion)
    """
    order = [-1] * len(precedents)
    low = [0] * len(precedents)
    on_path = [False] * len(precedents)
    path: list[int] = []
    found: list[list[int]] = []
    count = 0
    for root in range(len(precedents)):
        if order[root] >= 0:
            continue
        work: list[tuple[int, Iterator[int]]] = []
        entering: int | None = root
        while entering is not None or work:
            if entering is not None:
                order[entering] = low[entering] = count
                count += 1
                path.append(entering)
                on_path[entering] = True
                work.append((entering, iter(precedents[entering])))
                entering = None
            node, sources = work[-1]
            for source in sources:
                if order[source] < 0:
                    entering = source
                    break
                if on_path[source]:
                    low[node] = min(low[node], order[source])
            if entering is not None:
                continue
            work.pop()
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[node])
            if low[node] == order[node]:
                found.append(_popped(path, on_path, node))
    return found


def _popped(path: list[int], on_path: list[bool], node: int) -> list[int]:
    group = []
    while True:
        member = path.pop()
        on_path[member] = False
        group.append(member)
        if member == node:
            return sorted(group)


def cycle_through(precedents: Sequence[Collection[int]], group: Collection[int]) -> list[int]:
    """One cycle inside a strongly connected group, each node before the one that reads it.

    The first node is repeated at the end.
    """
    members = set(group)
    node = min(members)
    seen: dict[int, int] = {}
    walk: list[int] = []
    while node not in seen:
        seen[node] = len(walk)
        walk.append(node)
        node = min(source for source in precedents[node] if source in members)
    cycle = walk[seen[node] :]
    return [node, *reversed(cycle)]
