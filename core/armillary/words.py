"""The words that names of runs are made of: friendly, short, and free of any second meaning."""

from __future__ import annotations

from typing import Final

ADJECTIVES: Final = tuple(
    """
    able agile airy amber ample apt arctic artful ashen atomic autumn azure balmy blithe
    bold bonny brave breezy bright brisk broad bronze bubbly buoyant calm candid careful
    caring cedar cheerful chipper civil classic clean clear clever cloudy coastal cobalt
    cogent comic copper coral cordial cosmic cosy crafty crimson crisp curious curly dainty
    dapper daring dawning deft devoted diligent dreamy dutiful eager early earnest easy
    elated electric elegant emerald eminent epic equal fabled faithful famous festive fleet
    fluent fluffy fond formal frank free fresh frosty gallant generous genial gentle giddy
    gifted gilded glad gleaming glossy golden graceful grand grateful green handy happy
    hardy hazel hearty helpful honest hopeful humble ideal indigo inventive ivory jaunty
    jolly jovial joyful jubilant keen kind lasting lavender leafy level lilac limber lively
    logical loyal lucid lucky luminous lunar lush magnetic maple marine marvelous mellow
    merry mighty mild mindful minty misty modest mossy musical nautical neat nimble noble
    northern novel olive opal open orderly organic patient peaceful pearly perky placid
    playful pleasant plucky plush poetic polar polished polite prime prompt proper proud
    prudent quaint quick quiet radiant rapid ready regal robust rosy rustic sandy sapphire
    scenic serene shiny silver simple sincere sleek smart smiling smooth snowy snug solar
    solid sparkling spirited splendid spry stable stately steady stellar sterling sturdy
    sublime sunny super supple sure swift tactful teal thankful thrifty tidy timely tranquil
    trim true trusty upbeat valiant velvet verdant vibrant vivid warm watchful whimsical
    wise witty wonderful worthy zesty
    """.split()  # noqa: SIM905 - words read better without three hundred pairs of quotes
)

NOUNS: Final = tuple(
    """
    acorn albatross alder almanac alpaca anchor antelope apple apricot aspen aster astrolabe
    aurora avocet badger bamboo banjo barley basil bay beacon beaver beetle bell birch bison
    bluebell bobcat breeze bridge brook buffalo butterfly cabin canoe canyon caravan
    cardinal caribou carp cedarwood cello chamois cheetah cherry chestnut chinchilla cicada
    citrus clarinet cliff clover comet compass condor cormorant cottage cougar cove crane
    creek cricket crocus curlew cypress daisy dandelion delta dingo dolphin dormouse dove
    dragonfly dune eagle echo eider elk elm ember ermine falcon fennel fern ferret fiddle
    finch fir firefly fjord flamingo flute forest fountain fox galaxy garden gazelle gecko
    geyser giraffe glacier glade gopher goshawk grove gull harbor hare harp harvest hawthorn
    hazelnut hedgehog heron hill horizon hornbill hummingbird ibex ibis impala island
    jackdaw jaguar jasmine jay juniper kestrel kingfisher kite kiwi koala lagoon lake
    lantern larch lark laurel lemur leopard lighthouse lily linnet lion llama lotus lynx
    macaw magnolia magpie manatee maplewood marigold marlin marmot marten meadow meerkat
    melody meteor mill mongoose moon moose mountain myrtle narwhal nebula newt nightingale
    nutmeg oak oasis ocelot octopus orchard orchid oriole osprey otter owl oxbow panda
    pangolin parrot peach pear pebble pelican penguin peony petrel pheasant piano pine
    plover plum pond poplar poppy porpoise prairie puffin puma quail quartz quince quokka
    rabbit raccoon rainbow raven reef reindeer ridge river robin rook rosemary rowan saffron
    salmon sandpiper sequoia sextant shore skylark snipe sparrow spruce squirrel stag star
    starling stork stream summit sunrise swallow swan swift sycamore tamarin tapir tern
    thistle thrush thyme tiger toucan trout tulip tundra turnstone turtle valley viola
    violet volcano vole wagtail walnut walrus warbler waterfall wave whale wheat willow
    wombat woodpecker wren yak yarrow zebra zephyr zinnia
    """.split()  # noqa: SIM905 - words read better without three hundred pairs of quotes
)
