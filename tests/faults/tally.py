"""What was made to fail, and what was wrong afterwards: printed at the end of a run."""

import collections

made_to_fail = collections.Counter()  # by (part, function)
places = collections.defaultdict(set)  # by part: which calls of the program
worst = {}  # by part: how long it took until it served again, and after what


def count(part, name, hits, place=()):
    made_to_fail[part, name] += hits
    if hits:
        places[part].add((name, *place))


def recovered(part, seconds, what):
    if seconds > worst.get(part, (0, ""))[0]:
        worst[part] = (seconds, what)


def take():
    """All of it, in what can be sent to another process."""
    return ([[*key, count] for key, count in made_to_fail.items()], [[part, seconds, str(what)] for part, (seconds, what) in worst.items()],
            {part: [list(place) for place in of] for part, of in places.items()})


def add(counts, times, more_places):
    """What another process has taken."""
    for part, name, hits in counts:
        made_to_fail[part, name] += hits
    for part, of in more_places.items():
        places[part].update(tuple(place) for place in of)
    for part, seconds, what in times:
        recovered(part, seconds, what)


def lines():
    parts = sorted({part for part, _ in made_to_fail})
    for part in parts:
        counts = {name: count for (of, name), count in made_to_fail.items() if of == part and count > 0}
        yield f"{part}: {sum(counts.values())} calls, at {len(places[part])} places: " + ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))
        if part in worst:
            yield f"    served again after {worst[part][0]:.2f} s at the latest ({worst[part][1]})"
    yield f"faults: {sum(made_to_fail.values())} calls of {len({name for _, name in made_to_fail})} functions made to fail"
