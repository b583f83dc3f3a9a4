"""The picture of the rooms: every room is in it, on its floor, with its own sentence."""

from xml.etree import ElementTree as ET

from docs.render import rooms

SVG = "{http://www.w3.org/2000/svg}"
FLOORS = rooms.floors()


def drawn():
    """Return the height of each box and what it says, by the room's name, in the order of the picture."""
    boxes = {}
    for text in ET.fromstring(rooms.picture()).iter(f"{SVG}text"):
        if text.get("class") == "name":
            boxes[text.text] = said = []
            said.append(int(text.get("y")))
        else:
            said.append(text.text)
    return {name: (height, " ".join(lines)) for name, (height, *lines) in boxes.items()}


def test_every_room_has_a_box_on_its_floor():
    """From the top to the bottom as the import contract has them, and no room is left out."""
    boxes = drawn()
    assert list(boxes) == [room for floor in FLOORS for room in floor]
    assert set(boxes) == {path.parent.name for path in (rooms.ROOT / "src" / "assent").glob("*/__init__.py")}
    heights = [{boxes[room][0] for room in floor} for floor in FLOORS]
    assert all(len(height) == 1 for height in heights)
    assert heights == sorted(heights, key=min)


def test_each_box_says_the_first_sentence_of_its_room():
    """It is whole, and short enough to be read in passing."""
    for room, (_, said) in drawn().items():
        assert said == rooms.sentence(room)
        assert 10 < len(said) < 130
