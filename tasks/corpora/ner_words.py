"""The words of the name world: invented names by what they name, and the sentences that they stand in.

All names are coined alike, so that no spelling gives a type away. A sentence is a string of tokens in which capitals
stand for a slot: `PER`, `LOC`, `ORG` and `PROD` take a name of that type in any form, `SUR` a surname alone, `X` a
name of any type, and the keys of `FILLERS` an ordinary word.
"""

from __future__ import annotations

GIVEN = tuple(
    """
    dromkid trilhed darbos grolza trumfus brumge sebor tenbat jorhek sebul kimgan vumpuk ferbas vizisin lorket
    fedegad lemzud fimfur besla narfan pinzal belpi varpa zetazak granfel pevot fanezar gozubal stolvor suskok
    grarza fujevol tespos dudus trasvo bonjol drirfek vonsat tronkok nanre pezar talhon nimusol drurted krenset
    jevek loltod gonmi kilpar zezemod bemjod kohoris pokogir fustir tramra brakeze drorgon nervo soltos trajet
    rejed pesod pumejen drajer jepuze tralpok jesokek begomok dosagul drastud krulzud sturdik sapeda tordet
    lesver rishet merinir gurul kadamuk kramme jorozar pongor turris drilgos dremzol fumfut puhoras polvut leles
    bamsos driji nanju tenepel gafahek lopok pasze staset lisis seldol guhido zapekis groslon sinol sanzok
    lazavok jejahud trunhi hilgot grurto kamzil
    """.split()
)
SURNAMES = tuple(
    """
    nelves stisvet somgo kinenak stemoke nulve herjok venjek fatir sosbes starput drelnen drulhod kakehot
    taperut vimfun piganar rijevak stisbir vasgen brimpa krezok gepek pamtes gresle gosles tilege hevanol pasvir
    poskol dopazan putipok jogol lured nilhet venbud terlil zamrat brumji tovulut lomakat pimzed marli tammo
    kahohit dalehek notedol gonlal krosdan sonkes jiskol vojor sefamal bimeku dilho pespud dusozar briltet
    huposir drosro rardat bufores trusget zenol jerrod pezud bensu zulme ranun zepabo detemet sermut zarmol
    lobebod trempus baken jisnak rorran hefenet stodito mesmus hujikel trizil memesi galges dronnol honmok hamil
    supofor drurfal fajazir zamsar dibigel busbo buzel stezetu grisrus gupojo hukiren ranbed semkan feltor tifes
    rasdos tremget stosled davona holpot sahogon hegumen
    """.split()
)
PLACES = tuple(
    """
    pulvod torfed zosden jellu jemvo trolkek pamor hisdil malno katon trumtut brerer grelfor tasmu tumget fanran
    fampo berga trekot henbil zetohas bemgel nurolet konvi hijege hesjud begonak nemges kimgel kruntok trendud
    jesles parzas gremros rukapit brankul tralgek marhul zanha stobota forsok vafes tanhut dekot sorpo jamsot
    grispet trusdu sosfik vezeli nidajos horen griras nulbid stumhut malhen hejunak trolrod grafe begos rinhak
    hetifat gerfo mihebos narje foles larmas pavotir kurpir nardod fontis refeher zantin kilas hipar hovas
    guheja nanmod fenfud jannot krorho greljan kaszet jaldal
    """.split()
)
FIRMS = tuple(
    """
    gremvus limnis drelne zemsat momva zorbud denle kemdet humpor vuhomun zunbat nulhak rabizor jamepa kondod
    norok selner lofek fojahid grandel golde tromta grilaze femgor zaganar bresoma mokatot posnet zosefol
    krolled peberel kresnok zases romuti grabus zajozuk hedovo refal jakemis krokibe bomaza nakapar pamnar
    lahaven zasded beparod femju hadonod rornul bamjun jemkud vomlu nenvud rosfed lofelad brulred bigod grarfor
    zovabar rarkan traja banemen zalmo misnek pobatok brunrad sijod horten dahun dalehe parnir gemjen sehege
    nabos telhik redunul gilmed tammot mimezen demoper valkur dranbas mobetot votus
    """.split()
)
PRODUCTS = tuple(
    """
    sopohon kadagan stumva tranbi dramres nenvol krinhas gufotuk zezafe sehohe livunak bazin hefir vinnas
    hefedat kajot nentit jadedon brertot trulmil stalgil sehemor farnel zampor gembot krontos hamgis figejen
    harto dinet vilpes trimket manhod vizogan lezis lumret vapin brenfer belgun grerga linkok zeldot folfus
    gipolet bralnek krersat nenabo grofu nurbo babojak sosmen nodazik grimit trutas gegon drestod hulor trolnu
    gemet grolman
    """.split()
)
PERSON_OR_PLACE = tuple(
    """
    mondes zavopes treset homgi loshan nirepes davofot krira traskar trempa sameguk getadar nazurek nisas lejet
    visamat farjut takure gimbi zozavu grimmul ferbe zazidak monhan grempur tevarar hopolun zekodar junres
    kergad dilver subelon zokezur fatagat sojevo homze binibun nohezan dozon krehes
    """.split()
)
PERSON_OR_FIRM = tuple(
    """
    ferfet vageho genhe fojudar tehel doskor beshas pojomul morid budugar fervur birla krusjo remnan dronevu
    beszi lukaken jozinod nuszis broljet gamlet zisani jimlu vakofon ronzak kumdot norkor rusjod pametol helikes
    baman gorpa pomle krozaro torzol grardis selamas zorme genkut homlod
    """.split()
)

GROUPS: dict[str, tuple[str, ...]] = {
    "given": GIVEN,
    "surname": SURNAMES,
    "place": PLACES,
    "firm": FIRMS,
    "product": PRODUCTS,
    "person_or_place": PERSON_OR_PLACE,
    "person_or_firm": PERSON_OR_FIRM,
}
"""Every name of the world is in one group; the last two groups are ambiguous."""

AMBIGUOUS = {"PER": ("person_or_place", "person_or_firm"), "LOC": ("person_or_place",), "ORG": ("person_or_firm",)}
"""The ambiguous groups that may stand for a type."""

PLACE_BEFORE = ("new", "north", "south", "port", "lake", "mount")
PLACE_AFTER = ("valley", "city", "harbor", "island")
FIRM_AFTER = ("motors", "foods", "airlines", "group", "bank", "university", "records", "hospital", "press", "college")
PRODUCT_AFTER = ("two", "three", "mini", "plus", "pro")

FILLERS: dict[str, tuple[str, ...]] = {
    "DAY": tuple("monday tuesday wednesday thursday friday saturday sunday".split()),
    "SEASON": tuple("spring summer autumn winter".split()),
    "NUMBER": tuple("two three four five six seven eight nine ten".split()),
    "RELATIVE": tuple("brother sister mother father wife husband cousin friend uncle aunt neighbor".split()),
    "JOB": tuple(
        """painter nurse judge singer teacher baker farmer doctor lawyer dancer poet pilot writer engineer barber
        runner""".split()
    ),
    "TOWN": tuple("town city village island port valley suburb".split()),
    "FIRM": tuple("company bank firm school charity airline newspaper club factory".split()),
    "THING": tuple("phone camera car bicycle lamp drink game watch printer".split()),
    "SIDE": tuple("north south east west".split()),
    "HE": ("he", "she"),
    "HIS": ("his", "her"),
}

KIND = {"PER": "JOB", "LOC": "TOWN", "ORG": "FIRM", "PROD": "THING"}
"""The filler that says what a name of a type is."""

BARE = tuple(
    line.strip()
    for line in """
    we all talked about X for an hour
    nobody at the table had heard of X
    there was a long article about X in the paper
    X was in the news again on DAY
    my RELATIVE often complains about X
    my RELATIVE had a dream about X last night
    X is mentioned twice in the report
    i read a short book about X in SEASON
    the guide told us a story about X
    X was not what we had expected
    people here still remember X
    the photo on the wall shows X in SEASON
    the children asked NUMBER questions about X
    it was hard to say anything new about X
    we saw a film about X on DAY
    everyone seems to know X these days
    my RELATIVE could not stop thinking about X
    the talk on DAY will be about X
    NUMBER of us wanted to hear more about X
    for once X was not the problem
    the song is about X and nothing else
    the word on the sign was X
    i had to look up X twice
    most of us had forgotten X by then
    on DAY they showed X on the news
    the letter does not say much about X
    X came up again at dinner
    i like X more than my RELATIVE does
    the note on the desk said only X
    the first answer in the quiz was X
    my RELATIVE wrote NUMBER pages about X
    we compared X with X for fun
    some spoke of X and some of X
    the quiz was about X and X
    either X or X will be on the cover
    there were jokes about X and about X
    """.strip().splitlines()
)
"""Sentences in which a name of any type may stand: only the name itself tells its type."""

TYPED: dict[str, tuple[str, ...]] = {
    key: tuple(line.strip() for line in lines.strip().splitlines())
    for key, lines in {
        "PER": """
        PER said that HE was tired
        PER married a JOB last SEASON
        PER and HIS RELATIVE came late
        the JOB PER won the first prize
        my RELATIVE PER turned NUMBER on DAY
        PER smiled and shook our hands
        PER , a retired JOB , wrote to the mayor
        the police asked PER where HE had been
        PER told HIS RELATIVE the whole story
        mr SUR forgot the keys again
        mrs SUR teaches the piano on DAY
        dr SUR saw NUMBER patients on DAY
        PER laughed and put on HIS coat
        PER lost HIS glasses on DAY
        PER , who is a JOB , lives alone
        the judge thanked PER for HIS answer
        PER is afraid of dogs and so is HIS RELATIVE
        PER broke HIS arm last SEASON
        we sang for PER on HIS birthday
        the JOB PER and the JOB PER are old friends
        PER kissed PER and went home
        mr SUR and mrs SUR have NUMBER children
        """,
        "LOC": """
        the train to LOC leaves at NUMBER
        it rained in LOC for NUMBER days
        the mayor of LOC opened the bridge
        the road from LOC to LOC is closed
        we spent the SEASON in LOC with my RELATIVE
        LOC , a TOWN on the coast , has a harbor
        NUMBER thousand people live in LOC
        the streets of LOC were empty on DAY
        they drove through LOC on DAY
        the river flows past LOC to the sea
        the TOWN of LOC lies in the SIDE
        snow fell over LOC on DAY
        the hills SIDE of LOC are green in SEASON
        the old town hall in LOC is now a museum
        there is no station in LOC
        we flew from LOC to LOC in NUMBER hours
        the weather in LOC is mild in SEASON
        houses near LOC are cheap
        the map shows a TOWN called LOC
        the population of LOC has doubled
        """,
        "ORG": """
        ORG hired NUMBER engineers for its new office
        the shares of ORG fell on DAY
        ORG will close NUMBER of its offices in SEASON
        the board of ORG meets on DAY
        ORG , a FIRM with NUMBER offices , was sold
        the workers at ORG went on strike
        the profits of ORG doubled last SEASON
        my RELATIVE applied for a job at ORG
        the FIRM ORG has grown again since SEASON
        a spokesman for the FIRM ORG denied the report
        ORG cannot pay its staff any more
        the FIRM ORG is owned by the FIRM ORG
        the merger of ORG and ORG failed on DAY
        the FIRM ORG was founded by NUMBER friends
        ORG fired half of its staff in SEASON
        the head office of ORG has NUMBER floors
        the board of ORG voted to merge with ORG
        the staff of ORG got a letter on DAY
        """,
        "PROD": """
        my PROD needs a new battery
        the PROD costs NUMBER hundred dollars
        i plugged in the PROD and waited
        the PROD comes in NUMBER colours
        the PROD , a THING for children , sold out
        we bought a used PROD on DAY
        the box of the PROD was torn
        the THING called PROD has a red button
        they repaired my PROD for free
        the handle of my PROD broke on DAY
        a cheaper version of the PROD is on sale
        i charged my PROD for NUMBER hours
        my RELATIVE traded a PROD for a PROD
        our PROD is lighter than your PROD
        """,
        "mixed": """
        PER moved to LOC with HIS children
        PER works at the head office of ORG in LOC
        ORG opened its new factory near LOC
        the JOB PER comes from LOC
        PER quit a job at ORG after NUMBER years
        ORG and its NUMBER factories build the PROD
        PER is the new chief of ORG
        the PROD is made in LOC
        PER , the head of ORG , flew to LOC
        PER drove from LOC to LOC on DAY
        ORG named PER as its new chief
        PER repaired HIS PROD in LOC
        mr SUR runs a shop in LOC
        dr SUR resigned from ORG on DAY
        the mayor of LOC thanked PER for HIS work
        PER invented the PROD in SEASON
        PER met PER on the way to LOC
        the workers at ORG in LOC went on strike
        PER lent HIS PROD to PER
        ORG moved its head office to LOC
        """,
        "adjacent": """
        in LOC PER opened a small shop
        for ORG PER was the obvious choice
        to PER LOC felt like home
        at ORG PROD was built by NUMBER people
        when it came to LOC PER knew every street
        for PER ORG was only a first job
        in LOC ORG signed the contract on DAY
        thanks to PER ORG could keep its office
        the new ORG PROD went on sale on DAY
        with PER LOC chose a good mayor
        from LOC PER sent a card to HIS RELATIVE
        the old ORG PROD still needs a battery
        in LOC PROD can be bought in NUMBER shops
        """,
    }.items()
}
"""Sentences that tell the type of every name in them; in `adjacent` two names touch."""

OPENERS = (
    "as far as i know ,",
    "in the end",
    "as we heard ,",
    "for some reason",
    "once again",
    "of course",
    "according to the radio ,",
    "if i remember well ,",
    "to our surprise",
    "by the way ,",
    "in short ,",
)
CLOSERS = ("this time", "after all", "as usual", "as the paper says", "if i am right")
PLAIN_CLAUSES = (
    "the meeting was moved to DAY",
    "nobody was surprised",
    "we went home early",
    "the coffee was cold",
    "my RELATIVE took notes",
    "it was getting late",
    "the rest can wait until DAY",
    "that was all we heard",
    "the room went quiet",
    "the bus was late",
    "nobody asked why",
    "my RELATIVE paid the bill",
)
"""Clauses without any name."""
JOINERS = (", and", ", but", "while", ", so", ";", "because")

INTROS: dict[str, tuple[str, ...]] = {
    "PER": (
        "X is a JOB .",
        "who is X ? X is a JOB .",
        "X , a JOB from LOC , came to see us .",
        "X is a JOB at ORG .",
        "X was born in LOC and became a JOB .",
        "do you know X ? HE is a JOB .",
        "X is the name of a person .",
        "the person we met was X , a JOB .",
        "X works as a JOB .",
        "X and HIS RELATIVE live in LOC .",
    ),
    "LOC": (
        "X is a TOWN .",
        "where is X ? X is in the SIDE .",
        "X , a small TOWN on the coast , has NUMBER bridges .",
        "what is X ? X is a TOWN in the SIDE .",
        "X is a TOWN SIDE of LOC .",
        "do you know X ? it is a TOWN .",
        "X is the name of a place .",
        "the place we saw was X , a TOWN .",
    ),
    "ORG": (
        "X is a FIRM .",
        "what does X do ? X is a FIRM .",
        "X , a FIRM from LOC , hired NUMBER people .",
        "X is a FIRM with NUMBER offices .",
        "X is a FIRM led by PER .",
        "do you know X ? it is a FIRM .",
        "X is the name of a FIRM .",
        "the FIRM we wrote to was X .",
        "the FIRM X is based in LOC .",
    ),
    "PROD": (
        "X is a THING .",
        "what is X for ? X is a THING .",
        "X , a THING by ORG , is sold in every shop .",
        "X is a THING made in LOC .",
        "do you know X ? it is a new THING .",
        "X is the name of a THING .",
        "the thing we bought was X , a THING .",
        "the THING X costs NUMBER hundred dollars .",
    ),
}
"""Sentences of `texts` that say what X is."""

FOLLOWS: dict[str, tuple[str, ...]] = {
    "PER": ("HE is a JOB .", "the JOB lives in LOC .", "HE works at ORG .", "HE has NUMBER children ."),
    "LOC": ("it is a TOWN .", "the TOWN has NUMBER schools .", "the streets there are quiet .", "it is in the SIDE ."),
    "ORG": ("it is a FIRM .", "the FIRM has NUMBER offices .", "it hired PER in SEASON .", "the FIRM makes money ."),
    "PROD": (
        "it is a THING .",
        "the THING costs NUMBER dollars .",
        "the battery lasts NUMBER days .",
        "ORG makes this THING .",
    ),
}
"""Sentences of `texts` that say it again without the name."""

LISTS: dict[str, tuple[str, ...]] = {
    "PER": ("people on the list :", "the guests were", "prizes for NUMBER writers :"),
    "LOC": ("towns on the map :", "the train stops at", "places to see in SEASON :"),
    "ORG": ("firms on the list :", "the strike hit", "jobs are open at"),
    "PROD": ("things on sale :", "the shop sells", "new on the market :"),
}
