"""The words of the small town that `qa` and `summarization` tell of.

Lists only. Open-class words (people, things, goods, places, verbs) are those that `town` holds out of the labelled
training split; adjectives, numbers, times, causes and occasions are shared by every split. No word is in two lists, and
no filler sentence uses a word of an open list, so that a sentence can be read by looking its words up.
"""

from __future__ import annotations

WOMEN = tuple(
    """marta ines nadia clara elena sofia greta hanna ida julia karin lena lucia maria mira nora olga paula petra rosa
    ruth sara silvia tanya tessa ursula vera wanda yara zoe agnes alma anna bella carla celia dora edith emma erika
    flora gina helga irene ivy joan judith lydia""".split()
)

MEN = tuple(
    """pavel anton bruno carlos david edgar emil felix frank george hugo igor ivan jakob jonas karl leo lorenz lucas
    marco martin max milan nils omar oscar otto pedro peter ralph ravi rene robert rudi samuel simon stefan theo thomas
    tomas viktor walter yusuf arthur boris conrad dario niko""".split()
)

TRADES = tuple(
    """baker teacher mayor doctor nurse farmer miller sailor carpenter tailor cook gardener librarian judge priest
    captain driver butcher barber plumber postman porter clerk shepherd weaver potter singer painter dentist
    jeweller""".split()
)

THINGS = tuple(
    """boat chair door lamp piano cart ladder table bell kettle mirror basket bicycle drum violin guitar anchor
    saddle wagon barrel bucket stove pump carpet curtain blanket coat statue vase flag map globe telescope camera radio
    engine wheel tent kite sled canoe oven bench desk cupboard trunk crate jug plough spade hammer axe lantern umbrella
    suitcase whistle trumpet harp quilt loom anvil easel portrait scooter tractor cradle shelf compass helmet necklace
    organ raft sofa stool tray wardrobe""".split()
)

GOODS = tuple(
    """apples eggs candles loaves bricks bottles plates cups tickets letters books coins shells pears nails tiles
    cheeses melons buttons roses cakes spoons ribbons stamps toys onions sacks gloves socks brooms""".split()
)

PLACES = tuple(
    """harbour school mill market station library church farm bridge museum bakery garden park theatre castle hospital
    hotel inn forge stable barn orchard lighthouse pier beach meadow quarry dairy brewery workshop factory bank prison
    chapel abbey tower fountain canal dock shipyard cinema gym stadium cabin cottage vineyard laundry pharmacy clinic
    palace greenhouse windmill monastery arcade pavilion depot""".split()
)

# Each line: two verbs of one meaning, base and past form. Past and participle are alike, so that the passive needs no
# further form. The first verb of a line is the canonical one, in which `summarization` writes its summaries.
_CONCEPTS = """
repair repaired mend mended
find found discover discovered
buy bought purchase purchased
clean cleaned scrub scrubbed
fetch fetched collect collected
stash stashed conceal concealed
pick picked select selected
inspect inspected examine examined
damage damaged wreck wrecked
build built construct constructed
display displayed exhibit exhibited
lift lifted hoist hoisted
move moved shift shifted
guard guarded protect protected
lose lost misplace misplaced
grab grabbed seize seized
order ordered request requested
deliver delivered bring brought
wash washed rinse rinsed
decorate decorated adorn adorned
cover covered wrap wrapped
lend lent loan loaned
drag dragged haul hauled
carry carried transport transported
polish polished buff buffed
measure measured gauge gauged
describe described portray portrayed
burn burned scorch scorched
tie tied fasten fastened
store stored stow stowed
dump dumped discard discarded
praise praised admire admired
rent rented hire hired
mark marked label labelled
test tested try tried
donate donated present presented
smash smashed shatter shattered
copy copied duplicate duplicated
watch watched observe observed
keep kept retain retained
invent invented devise devised
save saved rescue rescued
leave left abandon abandoned
grease greased oil oiled
"""

CONCEPTS = tuple(tuple(line.split()) for line in _CONCEPTS.strip().splitlines())

RUINOUS = ("damage", "burn", "smash")
"""Canonical verbs of what a storm or a fire may do as well as a person."""

SITE_VERBS = tuple("repair clean inspect damage guard decorate describe rent watch save leave praise".split())
"""Canonical verbs that take a place for their object: a bridge is repaired, but not lifted."""

COLOURS = tuple("green red blue white black yellow brown grey".split())
QUALITIES = tuple("old new small large heavy wooden rusty plain tall fine".split())
PLACE_QUALITIES = tuple("old new small large tall".split())

NUMBERS = tuple("three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty".split())
HOURS = NUMBERS[:9]

DAYS = tuple("monday tuesday wednesday thursday friday saturday sunday".split())
MOMENTS = tuple("dawn noon dusk midnight sunrise sunset".split())
SEASONS = tuple("spring summer autumn winter january february april june july august october december".split())
MEALS = tuple("breakfast lunch dinner".split())

CAUSES = tuple("storm flood fire wind frost hail".split())
OCCASIONS = tuple("wedding fair party festival visit race parade exam strike drought fog noise".split())

BODIES = tuple("board crew club team committee choir".split())
"""What the people of a place may call themselves: `the harbour crew`."""

MANNERS = tuple("quickly quietly carefully gladly proudly slowly".split())

WEATHER = (
    "it rained all day.",
    "the sun was out at last.",
    "the sky was clear and bright.",
    "it was cold, but dry.",
    "clouds came in from the sea.",
    "there was a little snow on the roads.",
    "the air was warm and still.",
    "nobody liked the rain.",
    "more rain is on its way.",
    "it was too hot to work.",
)

SMALL_TALK = (
    "everyone was glad.",
    "nothing else happened.",
    "people drank tea and talked.",
    "the streets were full.",
    "some children were playing.",
    "there was music in the air.",
    "many had slept badly.",
    "the dogs were asleep.",
    "it was a long week.",
    "the town was quiet.",
    "the cats did not care.",
    "most people went home early.",
    "there was soup for all.",
    "a few people laughed.",
    "the bus was late again.",
    "tea is cheap this year.",
)
