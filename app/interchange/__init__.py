"""Files of other programs: MusicXML in and out, MIDI in, by way of the score model."""
