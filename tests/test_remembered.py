from axolotl_augft.remembered import Remembered


def test_a_text_is_asked_about_once_until_all_is_forgotten():
    asked = []

    def size(text):
        asked.append(text)
        return len(text)

    sizes = Remembered(size, most=2, longest=3)
    assert [sizes[t] for t in ("a", "bb", "a", "ccc", "a", "long", "long")] == [1, 2, 1, 3, 1, 4, 4]
    assert asked == ["a", "bb", "ccc", "a", "long", "long"]
    assert dict(sizes) == {"ccc": 3, "a": 1}
