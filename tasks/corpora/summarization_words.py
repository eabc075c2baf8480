"""The phrases with which a report of the small town marks its main event, and those that fill the rest.

Cues make the main event the only right one: an announcement before it, a crowd that watches it, what followed from it,
or talk that comes back to it. Side remarks mark the other events as small. No phrase uses a word that `town_words`
holds out of the training split.
"""

from __future__ import annotations

ANNOUNCEMENTS = (
    "the main news: ",
    "the big news is that ",
    "most important of all, ",
    "the news of the day: ",
    "the whole town is talking about this: ",
    "the top story is that ",
    "above all, ",
    "here is what really matters: ",
    "the great event of the week: ",
)

CROWDS = (
    "hundreds of people cheered when ",
    "the whole town came to see how ",
    "a crowd of thousands saw how ",
    "never before had so many people come: ",
    "all the town stood still when ",
)

CONSEQUENCES = (
    "because of that, the roads were closed.",
    "that will change life in the town for years.",
    "since then, hundreds of visitors have come.",
    "as a result, nobody had to work for a week.",
    "that led to long talks all over the country.",
    "as a result, the whole town had a free day.",
    "because of that, many lives will be better.",
    "that made the front page of every paper.",
)

RETURNS = (
    "people could not stop talking about {it}.",
    "everyone asked about {it}.",
    "{it} will be talked about for years.",
    "there was no other topic than {it}.",
    "on every street one heard of {it}.",
    "nobody will forget {it}.",
)
"""Talk that comes back to the thing of the main event."""

SIDE_LEADS = ("by the way, ", "in small news, ", "as usual, ", "of less interest: ", "some say that ", "", "", "")
SIDE_ENDS = (", which surprised nobody", ", as on any other day", ", but few people noticed", "", "", "", "")

GREETINGS = (
    "good evening to all.",
    "here is the report for this week.",
    "this is the town report.",
    "hello, and thank you for reading.",
    "there is much to tell today.",
    "this was a week like many others.",
)

ASIDES = (
    "after long talks",
    "to the joy of many",
    "with little fuss",
    "as planned",
    "after all these years",
    "in spite of the cost",
    "with a bit of luck",
)
"""Dropped from the summary."""

LATER_DETAIL = ("it happened {detail}.", "that was {detail}.", "all this took place {detail}.", "it was done {detail}.")
LATER_ACTOR = ("it was {who} who did it.", "{who} did it.", "it was all done by {who}.", "the work was that of {who}.")
LATER_COUNT = ("there were {count} of them.", "in all there were {count}.", "the number was {count}.")
TALKED_OF = (
    "{who} had long talked about {it}.",
    "{who} had plans for {it}.",
    "there was news from {who} about {it}.",
    "for months {who} had thought about {it}.",
)
"""The first half of an event told in two; `IT_WAS_DONE` is the second."""

IT_WAS_DONE = (
    "now {they} {did} {them}{tail}.",
    "at last {they} {did} {them}{tail}.",
    "then {they} {did} {them}{tail}.",
)
