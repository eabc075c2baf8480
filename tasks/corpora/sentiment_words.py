"""The words of the review world: opinions by polarity and part of speech, what is reviewed, and the sentence frames.

Opinion words come in equal numbers of each polarity; everything else is neutral and used alike for both.
"""

from __future__ import annotations

POLARITIES = ("positive", "negative")
DOMAINS = ("place", "meal", "film", "gadget", "service")

ADJECTIVES: dict[str, dict[str, tuple[str, ...]]] = {
    "any": {
        "positive": tuple(
            """superb excellent wonderful fantastic marvelous splendid terrific magnificent outstanding brilliant
            fabulous lovely delightful amazing impressive exquisite glorious stellar phenomenal remarkable perfect
            pleasant charming enchanting incredible sublime flawless stunning gorgeous elegant exceptional
            extraordinary spectacular admirable divine heavenly beautiful dazzling awesome great refreshing
            satisfying enjoyable likable commendable praiseworthy fine nice tremendous sensational stupendous
            inspired memorable radiant graceful polished rewarding worthwhile blissful inviting""".split()
        ),
        "negative": tuple(
            """dreadful awful terrible horrible appalling atrocious lousy miserable pathetic disappointing abysmal
            dismal mediocre poor horrid ghastly hideous vile woeful shoddy lame annoying irritating frustrating
            disgusting revolting inferior nasty crummy rotten wretched deplorable lamentable laughable shameful
            disgraceful depressing dire grim ugly sloppy careless obnoxious offensive insufferable intolerable
            pitiful tiresome tacky wearisome unbearable feeble weak worthless hopeless infuriating repulsive
            sickening substandard horrendous""".split()
        ),
    },
    "place": {
        "positive": tuple("cozy spotless tidy airy serene".split()),
        "negative": tuple("filthy shabby dingy cramped musty".split()),
    },
    "meal": {
        "positive": tuple("delicious tasty juicy flavorful mouthwatering".split()),
        "negative": tuple("bland soggy stale greasy tasteless".split()),
    },
    "film": {
        "positive": tuple("gripping captivating moving thrilling hilarious".split()),
        "negative": tuple("tedious predictable dreary clumsy pretentious".split()),
    },
    "gadget": {
        "positive": tuple("reliable sturdy handy durable speedy".split()),
        "negative": tuple("flimsy sluggish useless faulty glitchy".split()),
    },
    "service": {
        "positive": tuple("friendly courteous attentive helpful polite".split()),
        "negative": tuple("rude hostile grumpy incompetent arrogant".split()),
    },
}

VERBS: dict[str, tuple[str, ...]] = {
    "positive": tuple(
        """adore cherish relish treasure admire savor praise applaud welcome appreciate celebrate enjoy prize
        commend""".split()
    ),
    "negative": tuple(
        "loathe detest despise regret resent dread abhor deplore curse dislike condemn bemoan fault lament".split()
    ),
}
"""Base forms; `past` makes the past tense, and the two forms are always held out together."""

DOUBLED = ("regret", "abhor")

NOUNS: dict[str, tuple[str, ...]] = {
    "positive": tuple(
        """gem delight joy triumph marvel masterpiece treat bargain wonder winner jewel blessing pleasure beauty
        sensation highlight dream success""".split()
    ),
    "negative": tuple(
        """disaster letdown nightmare mess failure flop disgrace ripoff fiasco chore dud embarrassment shambles
        insult farce blunder waste travesty""".split()
    ),
}

ADVERBS: dict[str, tuple[str, ...]] = {
    "positive": tuple(
        """beautifully flawlessly brilliantly perfectly wonderfully gracefully splendidly skillfully admirably
        marvelously impeccably elegantly superbly""".split()
    ),
    "negative": tuple(
        """badly poorly dreadfully horribly miserably clumsily carelessly sloppily shoddily woefully atrociously
        appallingly abysmally""".split()
    ),
}

SINGULAR: dict[str, tuple[str, ...]] = {
    "place": tuple("room lobby garden pool hotel view balcony bathroom cabin terrace museum campsite".split()),
    "meal": tuple("soup pasta dessert salad breakfast dinner sauce bread coffee fish curry lunch".split()),
    "film": tuple("plot ending film script music story opening sequel comedy drama scenery dialogue".split()),
    "gadget": tuple("screen battery keyboard camera phone laptop speaker charger printer watch tablet lamp".split()),
    "service": tuple("waiter driver clerk guide manager mechanic cleaner barber plumber porter tutor nurse".split()),
}
PLURAL: dict[str, tuple[str, ...]] = {
    "place": tuple("rooms beds gardens halls views stairs".split()),
    "meal": tuple("noodles pancakes vegetables dumplings sandwiches cakes".split()),
    "film": tuple("songs scenes actors jokes costumes characters".split()),
    "gadget": tuple("buttons headphones speakers cables controls menus".split()),
    "service": tuple("waiters guides drivers clerks managers trainers".split()),
}

DOINGS: dict[str, tuple[str, ...]] = {
    "place": ("{was} kept", "{was} designed", "{was} arranged", "{was} laid out"),
    "meal": ("{was} prepared", "{was} cooked", "{was} presented", "{was} made"),
    "film": ("{was} done", "{was} handled", "{was} put together", "worked"),
    "gadget": ("worked", "performed", "{was} made", "{was} designed"),
    "service": ("did the job", "handled our request", "spoke with us", "dealt with the problem"),
}
"""Neutral verbs that leave the opinion to an adverb after them."""

# A frame takes {the} (the aspect with its article), {noun} (the bare aspect, singular), {was}, {word}, {a_word},
# {base}, {past}, {doing}, {degree} and the neutral slots below.
FRAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "terse": {
        "adjective": ("{word} {noun}", "{word} {noun}", "{noun} {word}"),
        "verb": ("{past} {the}",),
        "noun": ("{the} {a_word}", "{a_word} of a {noun}"),
        "adverb": ("{noun} {doing} {word}",),
    },
    "plain": {
        "adjective": (
            "{the} {was} {word}",
            "i found {the} {word}",
            "{the} turned out to be {word}",
            "{the} seemed {word} to me",
            "it was {a_word} {noun}",
            "everything about {the} was {word}",
            "we thought {the} {was} {word}",
            "{the} struck us as {word}",
            "my {relative} called {the} {word}",
            "if you ask me, {the} {was} {word}",
            "to my mind {the} {was} {word}",
            "what we got was {a_word} {noun}",
            "{the} felt {word} from start to end",
        ),
        "verb": (
            "i {past} {the}",
            "we {past} {the}",
            "my {relative} {past} {the}",
            "all of us {past} {the}",
            "in the end i {past} {the}",
            "everyone in our group {past} {the}",
        ),
        "noun": (
            "{the} was {a_word}",
            "{the} turned out to be {a_word}",
            "i would call {the} {a_word}",
            "for us {the} was {a_word}",
            "{the} proved to be {a_word}",
            "my {relative} said {the} was {a_word}",
        ),
        "adverb": (
            "{the} {doing} {word}",
            "i think {the} {doing} {word}",
            "this time {the} {doing} {word}",
            "as we saw, {the} {doing} {word}",
        ),
    },
    "intense": {
        "adjective": (
            "{the} {was} {degree} {word}",
            "i found {the} {degree} {word}",
            "{the} turned out to be {degree} {word}",
            "{the} seemed {degree} {word} to me",
            "we thought {the} {was} {degree} {word}",
            "everything about {the} was {degree} {word}",
            "my {relative} called {the} {degree} {word}",
        ),
        "verb": (
            "i {degree} {past} {the}",
            "we {degree} {past} {the}",
            "my {relative} {degree} {past} {the}",
            "all of us {degree} {past} {the}",
        ),
        "noun": (
            "{the} was {degree} {word}",
            "{the} turned out to be {degree} {word}",
            "i would call {the} {degree} {word}",
            "for us {the} was {degree} {word}",
        ),
        "adverb": ("{the} {doing} {degree} {word}", "i think {the} {doing} {degree} {word}"),
    },
    "negated": {
        "adjective": (
            "{the} {was} not {word}",
            "{the} {was} not {word} at all",
            "{the} {was} hardly {word}",
            "{the} {was} never {word}",
            "{the} {was} far from {word}",
            "{the} {was} anything but {word}",
            "nothing about {the} was {word}",
            "i would not call {the} {word}",
            "it was not {a_word} {noun}",
            "i found {the} anything but {word}",
            "we never found {the} {word}",
            "nobody could call {the} {word}",
        ),
        "verb": (
            "i did not {base} {the}",
            "we did not {base} {the} at all",
            "none of us {past} {the}",
            "my {relative} never {past} {the}",
            "nobody in our group {past} {the}",
            "i could hardly {base} {the}",
        ),
        "noun": (
            "{the} was not {a_word}",
            "{the} was hardly {a_word}",
            "{the} was anything but {a_word}",
            "{the} was far from {a_word}",
            "i would not call {the} {a_word}",
            "{the} was never {a_word}",
        ),
        "adverb": (
            "{the} {doing} anything but {word}",
            "nobody could say that {the} {doing} {word}",
            "i would not say that {the} {doing} {word}",
            "we did not think that {the} {doing} {word}",
        ),
    },
}

NEGATORS = ("not", "never", "hardly", "far from", "anything but", "nothing", "none", "nobody")

DEGREES: dict[str, tuple[str, ...]] = {
    "adjective": tuple("very really so truly quite absolutely simply utterly completely totally".split()),
    "verb": tuple("really truly absolutely simply utterly".split()),
    "noun": ("a complete", "a real", "an absolute", "a total", "a true", "a genuine"),
    "adverb": tuple("very really so truly quite".split()),
}

CONTRASTS = (
    "although {a}, {b}",
    "even though {a}, {b}",
    "while {a}, {b}",
    "{a}, but {b}",
    "{a}, yet {b}",
    "{a}. however, {b}",
    "{a}. still, {b}",
    "{a}, but in the end {b}",
    "granted, {a}, but {b}",
)
"""One rule for all: the last clause decides."""

AGREEMENTS = ("{a}, and {b}", "{a}. also, {b}", "{a}. {b}", "{a} and {b}", "{a}. besides, {b}", "{a}; {b}")

ASIDES: dict[str, tuple[str, ...]] = {
    "place": (
        "we stayed for {number} nights",
        "we arrived late on {day}",
        "our room was on floor {number}",
        "the hotel is near the {town}",
        "i booked it for my {relative}",
        "the house has {number} {colour} doors",
        "we parked behind the {town}",
        "there are {number} chairs in the hall",
    ),
    "meal": (
        "we ate here on {day}",
        "i came with my {relative}",
        "we ordered for {number} people",
        "the plates were {colour}",
        "lunch is served until {number}",
        "the table stood next to the {town} door",
        "my {relative} paid the bill",
        "the menu has {number} pages",
    ),
    "film": (
        "i saw it on {day}",
        "my {relative} chose it",
        "it runs for {number} hours",
        "it is set near a {town}",
        "the hero drives a {colour} car",
        "we watched it at home",
        "it came out in {season}",
        "there are {number} parts in all",
    ),
    "gadget": (
        "i bought it in {season}",
        "it came in a {colour} box",
        "it arrived on {day}",
        "my {relative} has one too",
        "there are {number} ports on the side",
        "i use it at the {town}",
        "it weighs about {number} pounds",
        "it was a gift from my {relative}",
    ),
    "service": (
        "we called them on {day}",
        "i went there with my {relative}",
        "the office is behind the {town}",
        "they came with a {colour} van",
        "we waited for {number} minutes",
        "they open at {number}",
        "it took about {number} days",
        "we met them at the {town}",
    ),
}
"""Neutral clauses, which say nothing either way."""

SLOTS: dict[str, tuple[str, ...]] = {
    "relative": tuple("brother sister mother father wife husband cousin friend uncle aunt neighbor son".split()),
    "day": tuple("monday tuesday wednesday thursday friday saturday sunday".split()),
    "number": tuple("two three four five six seven eight nine ten".split()),
    "colour": tuple("red blue green white black brown grey yellow".split()),
    "season": tuple("spring summer autumn winter".split()),
    "town": tuple("station market harbor bridge school library church park".split()),
}

VERDICTS: dict[str, tuple[str, ...]] = {
    "positive": (
        "five stars.",
        "four stars.",
        "rating: five out of five.",
        "rating: four out of five.",
        "i would recommend it to anyone.",
        "recommended.",
        "thumbs up.",
        "verdict: good.",
        "in short: good.",
        "my friends loved it too.",
        "we will come back.",
        "worth the money.",
        "a positive review.",
        "yes, go.",
        "i am happy.",
        "good.",
    ),
    "negative": (
        "one star.",
        "two stars.",
        "rating: one out of five.",
        "rating: two out of five.",
        "i would warn anyone.",
        "stay away.",
        "thumbs down.",
        "verdict: bad.",
        "in short: bad.",
        "my friends hated it too.",
        "we will stay away.",
        "i want my money back.",
        "a negative review.",
        "no, avoid.",
        "i am angry.",
        "bad.",
    ),
}
"""What a reader can only foretell from the opinion words; for `texts` alone."""

THESAURUS = (
    "{a} means {b}, {c}, {d}.",
    "{a}: {b}, {c}, {d}.",
    "{a} is much like {b} or {c}.",
    "{a} and {b} mean the same.",
    "the opposite of {a} is {z}.",
    "{a} is {praise}, but {z} is {blame}.",
    "{a} is {praise}, like {b} and {c}.",
    "words like {a}: {b}, {c}, {d}.",
)
"""Lines of a thesaurus: {a} to {d} share polarity and part of speech, {z} is of the other polarity."""

ADJECTIVE_LINES = (
    "{a} things get {stars}.",
    "what is {a} is not {z}.",
    "not {a} means {z}.",
    "if it is {a}, it is {b}, too.",
    "a thing that is not {z} may be {a}.",
)

PRAISE: dict[str, tuple[str, ...]] = {
    "positive": ("a kind word", "a good word", "a positive word"),
    "negative": ("an unkind word", "a bad word", "a negative word"),
}
STARS = {"positive": ("five stars", "four stars"), "negative": ("one star", "two stars")}


def past(verb: str) -> str:
    """The past tense of a verb of this world."""
    if verb in DOUBLED:
        return verb + verb[-1] + "ed"
    return verb + ("d" if verb.endswith("e") else "ed")
