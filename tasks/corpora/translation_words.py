"""The lexicon of the translation world: English lemmas, each with its one Spanish translation.

Entries are compact lines that `translation_lexicon` reads. Every lemma carries only the forms that the grammar may
use (a plural marked `+`, a tense named), since all forms of both languages share one small vocabulary.
"""

from __future__ import annotations

NOUNS = {
    # `english[+] spanish [gender]`; `+`: has a plural; the gender only where -o / -a does not give it away
    "person": """
        man+ hombre m, woman+ mujer f, boy+ niño, girl+ niña, father padre m, mother madre f, brother+ hermano,
        sister+ hermana, uncle tío, aunt tía, grandfather abuelo, grandmother abuela, daughter hija, friend+ amigo,
        neighbor vecino, teacher+ maestro, doctor médico, farmer granjero, baker panadero, king rey m, queen reina,
        princess princesa, soldier+ soldado, student estudiante m, waiter camarero, writer escritor m,
        painter pintor m, driver conductor m, thief ladrón m, witch bruja, actor actor m, actress actriz f,
        tourist turista m, pilot piloto, judge juez m, wife esposa, hunter cazador m
    """,
    "animal": """
        dog+ perro, cat+ gato, horse+ caballo, cow vaca, bird+ pájaro, duck pato, hen gallina, pig cerdo,
        rabbit conejo, fox zorro, wolf lobo, bear oso, lion león m, mouse ratón m, snake serpiente f, frog rana,
        turtle tortuga, monkey mono, goat cabra, elephant elefante m, parrot loro
    """,
    "mass": """
        bread pan m, meat carne f, cheese queso, rice arroz m, soup sopa, fish pescado, honey miel f
    """,
    "drink": "milk leche f, coffee café m, tea té m, wine vino, juice jugo, beer cerveza",
    "food": """
        apple+ manzana, egg huevo, cake pastel m, cookie galleta, potato patata, tomato tomate m, lemon limón m,
        strawberry fresa
    """,
    "thing": """
        book+ libro, letter+ carta, car+ coche m, bicycle bicicleta, table mesa, chair silla, door puerta,
        window ventana, key+ llave f, box caja, bag bolsa, shirt camisa, shoe+ zapato, hat sombrero, coat abrigo,
        dress vestido, skirt falda, ring anillo, clock reloj m, lamp lámpara, bed cama, mirror espejo, photo foto f,
        newspaper periódico, pencil lápiz m, gift+ regalo, toy juguete m, ball pelota,
        doll muñeca, guitar guitarra, piano piano, drum tambor m, song+ canción f, story historia, movie película,
        ticket boleto, suitcase maleta, boat barco, train tren m, bus autobús m, plane avión m, truck camión m,
        stone+ piedra, tree+ árbol m, flower+ flor f, cup taza, glass vaso, plate plato, spoon cuchara,
        knife cuchillo, bottle botella, candle vela, blanket manta, telephone teléfono, map mapa m, coin+ moneda,
        basket cesta, flag bandera, sword espada, crown corona
    """,
    "place": """
        house+ casa, kitchen cocina, garden jardín m, school escuela, city ciudad f, village pueblo, market mercado,
        church iglesia, park parque m, beach playa, river río, mountain montaña, forest bosque m, street calle f,
        bridge puente m, hotel hotel m, hospital hospital m, restaurant restaurante m, library biblioteca,
        museum museo, shop tienda, office oficina, station estación f, airport aeropuerto, farm granja,
        castle castillo, island isla, lake lago, theater teatro, tower torre f, room habitación f
    """,
}

ENGLISH_PLURALS = {"man": "men", "woman": "women"}
SPANISH_PLURALS = {"canción": "canciones"}

UNIQUE_PEOPLE = "father mother wife".split()
"""People of whom there is only one, so that no "another father" is drawn."""

GROUPS = {
    "readable": "book letter newspaper story map",
    "writable": "book letter song story",
    "openable": "door window box bag gift suitcase bottle letter shop museum",
    "washable": "car shirt shoe coat dress skirt cup glass plate spoon knife blanket apple hat",
    "breakable": "glass plate cup bottle lamp mirror window toy chair doll clock guitar",
    "playable": "guitar piano drum song",
    "buildable": "house bridge tower castle church boat table",
    "wearable": "shirt shoe hat coat dress skirt ring crown",
    "rideable": "car bicycle boat train bus plane truck",
    "surface": "table chair bed box blanket basket piano suitcase",
    "gettable": "train bus plane ticket letter gift",
    "site": """house kitchen garden school city village market church park forest street hotel hospital restaurant
        library museum shop office station airport castle theater tower room""",
    "home": "house city village church forest street hotel castle tower",
    "bedroom": "house garden park forest hotel hospital room castle church street",
    "open ground": "beach river mountain bridge farm island",
}

VERBS = """
    buy bought comprar both thing food mass
    sell sold vender present thing food mass drink
    eat ate comer both food mass
    drink drank beber both drink
    cook cooked cocinar past mass egg potato cake
    read read leer present readable
    write wrote escribir both writable
    open opened abrir both openable
    close closed cerrar past openable
    clean cleaned limpiar present room kitchen house office street table window mirror lamp shop plate
    wash washed lavar past washable
    break broke romper past breakable
    paint painted pintar past door window house chair box boat bridge tower flag bicycle tree
    carry carried llevar present box bag suitcase basket book flag candle blanket stone plate bottle chair
    lose lost perder past key ring coin ticket hat map telephone bag suitcase shoe letter photo pencil
    find found encontrar past key ring coin ticket map book letter sword crown photo animal
    hide hid esconder past key ring coin letter gift sword crown map candle photo bottle
    repair repaired reparar present rideable clock lamp door window chair shoe telephone bridge
    use used usar present knife spoon telephone map pencil mirror blanket basket lamp rideable
    steal stole robar past thing cake cheese bread
    bring brought traer past thing food mass drink
    receive received recibir past letter gift flower photo book ticket coin ring
    send sent enviar past letter gift flower photo book ticket map
    draw drew dibujar past animal place flower tree map boat
    build built construir past buildable
    play played tocar present playable
    see saw ver both person animal thing place
    help helped ayudar present person animal
    love loved amar present person animal
    call called llamar present person
    visit visited visitar past person museum castle island church village farm city market
    follow followed seguir present person animal rideable
    greet greeted saludar past person
    wait_for waited_for esperar present person gettable
    look_for looked_for buscar present person animal thing place
    look_at looked_at mirar present person animal thing place
    know knew conocer present person place song story
    attack attacked atacar past person animal
    save saved salvar past person animal
    invite invited invitar past person
    hear heard oír present person animal song guitar piano drum train
    have had tener both animal thing food
    need needed necesitar present thing food mass drink
    sleep slept dormir both bedroom=in
    run ran correr present place=to
    walk walked caminar past place=to
    swim swam nadar present lake=in river=in
    live lived vivir present home=in
    work worked trabajar present site=in
    arrive arrived llegar past place=at
    return returned volver past place=to
    go went ir both place=to
    come came venir past place=from
    dance danced bailar present site=in
    cry cried llorar past site=in
    study studied estudiar present school=in library=in house=in room=in city=in office=in kitchen=in park=in
    rest rested descansar present site=in
    fall fell caer past river=in lake=in street=in garden=in kitchen=in park=in
"""
"""`base past infinitive tenses objects...`: kinds, groups or nouns; `x=in` are places after that preposition."""

ANIMAL_SUBJECTS = "eat drink see follow look_for look_at attack hear sleep run swim live arrive return fall".split()
"""Verbs of which an animal may be the subject; all others need a person."""

NO_PERSONAL_A = "have draw".split()
"""Verbs whose animate object has no personal `a` before it."""

FIRST_PERSON = "buy see have need go".split()
"""Verbs that also stand in the first person singular (present only)."""

# Spanish forms that no rule gives: `3rd singular, 3rd plural, 1st singular` of the present and (after `|`) `3rd
# singular, 3rd plural` of the preterite; `-` where the rule serves or the form is not used.
IRREGULAR = {
    "leer": "- - - | leyó leyeron",
    "cerrar": "cierra cierran - | - -",
    "perder": "pierde pierden - | - -",
    "traer": "- - - | trajo trajeron",
    "enviar": "envía envían - | - -",
    "construir": "- - - | construyó construyeron",
    "ver": "ve ven veo | vio vieron",
    "seguir": "sigue siguen - | - -",
    "oír": "oye oyen - | - -",
    "tener": "tiene tienen tengo | tuvo tuvieron",
    "dormir": "duerme duermen - | durmió durmieron",
    "volver": "- - - | volvió volvieron",
    "ir": "va van voy | fue fueron",
    "venir": "- - - | vino vinieron",
    "caer": "- - - | cayó cayeron",
}

ADJECTIVES = """
    red rojo ser+ thing; white blanco ser+ thing house animal; black negro ser+ thing animal
    yellow amarillo ser thing; green verde ser+ thing; blue azul ser thing; gray gris ser thing cat
    big* grande ser+ animal thing place food; small* pequeño ser+ animal thing place food
    new* nuevo ser+ thing place; old* viejo ser+ person animal thing place
    beautiful* hermoso ser+ person animal thing place; ugly* feo ser animal thing place
    expensive* caro ser+ thing food mass drink hotel restaurant house; cheap* barato ser thing food hotel restaurant
    modern* moderno ser place car train telephone lamp; heavy* pesado ser thing
    round redondo ser table box mirror lamp stone plate coin clock bed ball basket window tower
    long* largo ser letter song story movie dress skirt coat sword knife street bridge train river beach bus
    strange* extraño ser person animal thing place; dangerous* peligroso ser animal knife sword truck place
    famous* famoso ser person song story movie book museum castle bridge church city hotel
    broken roto estar glass plate cup bottle lamp mirror window toy chair clock guitar telephone bicycle door
    dirty* sucio estar+ thing room kitchen street river beach animal; clean* limpio estar thing room kitchen lake
    empty vacío estar box bag suitcase glass cup bottle basket bus train place
    open abierto estar openable restaurant library station
    closed cerrado estar openable restaurant library hospital airport school
    wet mojado estar animal shirt shoe coat hat dress blanket street bed newspaper
    hot* caliente estar mass drink plate; cold* frío estar mass drink egg potato house room lake river
    fresh fresco ser food bread fish cheese meat milk juice
    delicious delicioso ser food mass drink; sweet* dulce ser food wine tea juice coffee
    tall* alto ser person tree tower mountain; young* joven ser+ person
    thin* delgado ser person animal; fat* gordo ser person animal; strong* fuerte ser+ person animal
    weak* débil ser person animal; kind* amable ser person; intelligent* inteligente ser person animal
    funny* divertido ser person story movie song; lazy* perezoso ser person animal
    rich* rico ser person; poor* pobre ser person; brave* valiente ser person; serious* serio ser person
    shy* tímido ser person; tired* cansado estar+ person animal; sick* enfermo estar person animal
    sad* triste estar+ person animal; happy* contento estar person; angry* enojado estar person animal
    busy* ocupado estar person; nervous* nervioso estar person animal; worried* preocupado estar person
    wooden de_madera ser+ table chair door box bed toy bridge spoon boat house bicycle tower
    golden de_oro ser+ ring clock coin crown sword cup key spoon plate
"""
"""`english[*] spanish copula[+] nouns...`; `*`: takes "very"; `+`: has plural forms; kinds, groups or nouns."""

BEFORE_NOUN = {
    "good": "buen buena",
    "bad": "mal mala",
    "best": "mejor mejor",
    "first": "primer primera",
    "last": "último última",
    "same": "mismo misma",
}
"""Attributive adjectives that come before the noun in Spanish too: masculine (clipped) and feminine."""

NUMBERS = {
    "two": "dos",
    "three": "tres",
    "four": "cuatro",
    "five": "cinco",
    "six": "seis",
    "seven": "siete",
    "eight": "ocho",
    "nine": "nueve",
    "ten": "diez",
    "eleven": "once",
    "twelve": "doce",
}

# English: Spanish masculine and feminine
SINGULAR_DETERMINERS = {
    "the": "el la",
    "a": "un una",
    "my": "mi mi",
    "his": "su su",
    "her": "su su",
    "our": "nuestro nuestra",
    "this": "este esta",
    "another": "otro otra",
    "every": "cada cada",
}
PLURAL_DETERMINERS = {
    "the": "los las",
    "my": "mis mis",
    "her": "sus sus",
    "these": "estos estas",
    "many": "muchos muchas",
    "some": "unos unas",
}

IDIOMS = {"hungry": "hambre", "thirsty": "sed", "afraid": "miedo", "sleepy": "sueño"}
"""English "to be x", Spanish "tener x"."""

PREPOSITIONS = {"in": "en", "on": "sobre", "under": "bajo", "with": "con", "without": "sin", "for": "para"}
COMPOUND_PREPOSITIONS = {"near": "cerca", "behind": "detrás", "in front of": "delante", "next to": "al lado"}
"""These take `de` in Spanish, which contracts with the article."""

TIMES = {
    "present": {"now": "ahora", "every day": "cada día", "today": "hoy"},
    "past": {"yesterday": "ayer", "last night": "anoche", "today": "hoy"},
    "future": {"tomorrow": "mañana", "soon": "pronto", "today": "hoy"},
}
PREVERBS = {"always": "siempre", "also": "también"}
MANNERS = {"slowly": "despacio", "here": "aquí", "there": "allí", "well": "bien", "a lot": "mucho"}
CLITICS = {"me": "me", "him": "lo", "her": "la", "them": "los"}
CONJUNCTIONS = {"because": "porque", "when": "cuando", "and": "y", "but": "pero"}
LINKS = {"then": "luego", "later": "más tarde", "but": "pero", "one day": "un día", "in the end": "al final"}
"""What opens a sentence of a story."""
