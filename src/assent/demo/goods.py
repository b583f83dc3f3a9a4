"""The goods of the made shop: 10 departments, 50 themes, 500 items with names a person can read."""

from __future__ import annotations

from dataclasses import dataclass

#: One theme a line: its name, two makes, five things, and the price of the plainest of them in euros.
_SHELVES = {
    "Kitchen": """
        coffee | Copper, Stoneware | Coffee Mill, Drip Kettle, Espresso Cup, Filter Cone, Milk Jug | 14
        baking | Beechwood, Enamel | Rolling Pin, Bread Tin, Mixing Bowl, Cake Stand, Flour Sifter | 11
        knives | Damask, Carbon Steel | Chef's Knife, Paring Knife, Bread Knife, Sharpening Rod, Knife Block | 29
        tea | Cast Iron, Porcelain | Teapot, Tea Caddy, Tea Bowl, Tea Tray, Strainer | 12
        pasta | Brass, Olive Wood | Pasta Roller, Ravioli Stamp, Drying Rack, Cheese Grater, Serving Fork | 13
    """,
    "Garden": """
        herbs | Terracotta, Zinc | Herb Pot, Herb Scissors, Plant Label, Window Box, Drying Hook | 8
        roses | Forged, Leather | Pruning Shears, Rose Gloves, Trellis Clip, Thorn Stripper, Garden Apron | 15
        vegetables | Ash Wood, Galvanised | Seed Tray, Hand Hoe, Potato Fork, Watering Can, Bean Frame | 12
        birds | Cedar, Slate | Nest Box, Seed Feeder, Bird Bath, Suet Holder, Robin Table | 16
        evening | Solar, Bamboo | Path Light, Torch Stand, Hammock Hook, Lantern String, Folding Stool | 18
    """,
    "Books": """
        crime | Illustrated, Pocket | Harbour Murders, Silent Lift, Night Ferry Case, Paper Alibi, Cold Orchard | 9
        history | Annotated, Clothbound | Salt Roads, Bridge Builders, Winter Kings, Map Thieves, Silk Letters | 16
        travel | Revised, Field | Island Walks, Railway Europe, Desert Nights, River by Canoe, Alpine Huts | 14
        science | Popular, Student | Deep Sea Atlas, Small Infinities, Moss and Fern, Quiet Stars, How Bees Vote | 17
        children | Picture, Read-Aloud | Bear Who Counted, Moon Postman, Three Umbrellas, Snail Express, Hat Thief | 8
    """,
    "Home": """
        candles | Beeswax, Soy | Pillar Candle, Tea Lights, Candle Snuffer, Lantern Jar, Taper Pair | 7
        bedding | Linen, Organic Cotton | Duvet Cover, Pillowcase, Bed Throw, Fitted Sheet, Eye Mask | 19
        storage | Rattan, Felt | Laundry Basket, Drawer Tray, Toy Bin, Shelf Box, Shoe Crate | 15
        walls | Oak, Black Metal | Picture Frame, Wall Clock, Coat Hook, Poster Rail, Round Mirror | 17
        bath | Teak, Waffle | Bath Mat, Soap Dish, Bath Towel, Shower Stool, Toothbrush Cup | 12
    """,
    "Sport": """
        running | Reflective, Featherlight | Running Vest, Bottle Belt, Trail Cap, Arm Pocket, Gaiters | 16
        yoga | Cork, Natural Rubber | Yoga Mat, Yoga Block, Stretch Strap, Balance Cushion, Massage Ball | 14
        cycling | Waxed, Alloy | Saddle Bag, Bike Bell, Tyre Levers, Handlebar Tape, Bottle Cage | 12
        climbing | Braided, Anodised | Chalk Bag, Carabiner, Sling Set, Rope Bag, Hand Brush | 13
        swimming | Mirrored, Quick-Dry | Goggles, Swim Cap, Pull Buoy, Swim Towel, Nose Clip | 9
    """,
    "Music": """
        guitar | Rosewood, Phosphor Bronze | Capo, String Set, Guitar Strap, Plectrum Tin, Slide | 9
        piano | Walnut, Velvet | Page Holder, Key Cover, Metronome, Bench Cushion, Music Lamp | 21
        vinyl | Carbon Fibre, Maple | Record Brush, Record Crate, Stylus Scale, Slip Mat, Sleeve Stand | 15
        drums | Hickory, Mesh | Drum Sticks, Practice Pad, Brush Pair, Cymbal Felt, Stick Bag | 12
        recording | Broadcast, Folding | Pop Shield, Desk Stand, Headphones, Cable Roll, Reflection Screen | 18
    """,
    "Paper": """
        writing | Brass, Ebonite | Fountain Pen, Ink Bottle, Pen Rest, Blotter, Pen Roll | 18
        notebooks | Dotted, Leather | Pocket Notebook, Desk Journal, Travel Diary, Index Cards, Page Markers | 9
        painting | Sable, Cold-Pressed | Watercolour Brush, Paint Pan, Sketch Pad, Palette, Masking Tape | 10
        letters | Deckle-Edge, Recycled | Envelopes, Note Cards, Sealing Wax, Letter Opener, Stamp Box | 8
        wrapping | Printed, Kraft | Gift Paper, Ribbon Reel, Gift Tags, Tissue Sheets, Twine Ball | 5
    """,
    "Toys": """
        trains | Wooden, Wind-Up | Steam Engine, Track Bridge, Freight Wagon, Signal Tower, Turntable | 13
        puzzles | Hand-Cut, Magnetic | Harbour Puzzle, Map Puzzle, Puzzle Mat, Brain Cube, Tangram | 12
        kites | Ripstop, Silk | Delta Kite, Stunt Kite, Kite Reel, Kite Tail, Wind Sock | 14
        dolls | Knitted, Tin | Doll House, Doll Pram, Tea Set, Rag Rabbit, Doll Wardrobe | 17
        games | Travel, Family | Chess Set, Dice Tower, Domino Box, Card Shuffler, Marble Run | 15
    """,
    "Pets": """
        dogs | Waxed, Hemp | Dog Lead, Dog Collar, Chew Rope, Travel Bowl, Dog Coat | 14
        cats | Sisal, Wool | Scratch Post, Cat Cave, Feather Wand, Window Perch, Catnip Mouse | 13
        fish | Ceramic, Glass | Tank Arch, Feeding Ring, Algae Magnet, Moss Stone, Fish Scoop | 8
        rabbits | Willow, Hay-Filled | Hop Tunnel, Chew Ball, Hay Rack, Burrow Box, Grooming Comb | 10
        hens | Pine, Enamelled | Egg Basket, Grain Scoop, Hen Perch, Nest Tray, Drinker | 12
    """,
    "Tools": """
        carving | Laminated, Birch | Hook Knife, Spoon Blank, Strop, Carving Axe, Bench Hook | 16
        joinery | Japanese, Dovetail | Pull Saw, Marking Gauge, Chisel Set, Smoothing Plane, Square | 24
        painting walls | Natural Bristle, Microfibre | Wall Brush, Paint Roller, Edge Pad, Paint Kettle, Drop Cloth | 9
        sewing | Tailor's, Vintage | Fabric Shears, Thread Box, Pin Cushion, Thimble, Chalk Wheel | 10
        electrics | Insulated, Digital | Screwdriver, Voltage Tester, Wire Stripper, Cable Tester, Soldering Iron | 17
    """,
}


@dataclass(frozen=True, slots=True)
class Good:
    """One item of the made shop: its id, name, department, theme and price in euros."""

    id: str
    name: str
    department: str
    theme: str
    price: float

    def as_item(self) -> dict[str, object]:
        """Return the item as `PUT /v1/items` takes it."""
        return {
            "id": self.id,
            "name": self.name,
            "price": self.price,
            "currency": "EUR",
            "category": self.department,
            "brand": "Made Shop",
            "available": True,
        }


def all_goods() -> list[Good]:
    """Return the 500 goods, theme by theme; the same every time."""
    goods: list[Good] = []
    for department, shelf in _SHELVES.items():
        for line in shelf.strip().splitlines():
            goods += _theme(department, line, len(goods))
    return goods


def _theme(department: str, line: str, first: int) -> list[Good]:
    """Read one line of a shelf: every make of every thing, dearer make by make and thing by thing."""
    theme, makes, things, price = (part.strip() for part in line.split("|"))
    made: list[Good] = []
    for thing_index, thing in enumerate(things.split(",")):
        for make_index, make in enumerate(makes.split(",")):
            number = first + len(made)
            euros = round(int(price) * (1 + 0.35 * ((thing_index * 3) % 5) + 0.2 * make_index)) - 0.05
            name = f"{make.strip()} {thing.strip()}"
            made.append(Good(f"{department[:3].lower()}-{number:03d}", name, department, theme, round(euros, 2)))
    return made
