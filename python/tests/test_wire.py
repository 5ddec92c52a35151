"""Frames: what was written is read, and what is none ends the stream."""

import io
import unittest

import numpy as np

from troupe_trainer.wire import WireError, array_of, read_frame, wire_array, write_frame


class Frames(unittest.TestCase):
    def test_come_back_as_they_were_written(self):
        stream = io.BytesIO()
        values = [{"id": 1, "args": {"data": b"\x00\x01", "x": 1.5, "none": None}}, float("inf"), "ü"]
        for value in values:
            write_frame(stream, value)
        stream.seek(0)
        self.assertEqual([read_frame(stream) for _ in values], values)
        self.assertIsNone(read_frame(stream))

    def test_what_is_none_is_refused(self):
        for text in (b"\x01", b"\x05\x00\x00\x00ab", b"\xff\xff\xff\xff", b"\x01\x00\x00\x00\xc1"):
            with self.assertRaises(WireError):
                read_frame(io.BytesIO(text))
        stream = io.BytesIO()
        with self.assertRaises(WireError):
            write_frame(stream, object())
        self.assertEqual(stream.getvalue(), b"")

    def test_arrays_keep_their_element_type(self):
        for array in (np.array([1, -2], np.int32), np.array([0.5], np.float32), np.array([], np.uint8)):
            np.testing.assert_array_equal(array_of(wire_array(array), array.dtype.name), array)
        with self.assertRaises(TypeError):
            array_of(wire_array(np.zeros(1, np.float32)), "int32")
        with self.assertRaises(KeyError):
            wire_array(np.zeros(1))


if __name__ == "__main__":
    unittest.main()
