"""The instruments of General MIDI by name, in the order of their program numbers.

General MIDI System Level 1 (MIDI Manufacturers Association, 1991), Table 2.
"""

from difflib import get_close_matches

_FAMILIES = """
Acoustic Grand Piano, Bright Acoustic Piano, Electric Grand Piano, Honky-tonk Piano, Electric Piano 1, Electric Piano 2,
Harpsichord, Clavi,
Celesta, Glockenspiel, Music Box, Vibraphone, Marimba, Xylophone, Tubular Bells, Dulcimer,
Drawbar Organ, Percussive Organ, Rock Organ, Church Organ, Reed Organ, Accordion, Harmonica, Tango Accordion,
Acoustic Guitar (nylon), Acoustic Guitar (steel), Electric Guitar (jazz), Electric Guitar (clean),
Electric Guitar (muted), Overdriven Guitar, Distortion Guitar, Guitar Harmonics,
Acoustic Bass, Electric Bass (finger), Electric Bass (pick), Fretless Bass, Slap Bass 1, Slap Bass 2, Synth Bass 1,
Synth Bass 2,
Violin, Viola, Cello, Contrabass, Tremolo Strings, Pizzicato Strings, Orchestral Harp, Timpani,
String Ensemble 1, String Ensemble 2, Synth Strings 1, Synth Strings 2, Choir Aahs, Voice Oohs, Synth Voice,
Orchestra Hit,
Trumpet, Trombone, Tuba, Muted Trumpet, French Horn, Brass Section, Synth Brass 1, Synth Brass 2,
Soprano Sax, Alto Sax, Tenor Sax, Baritone Sax, Oboe, English Horn, Bassoon, Clarinet,
Piccolo, Flute, Recorder, Pan Flute, Blown Bottle, Shakuhachi, Whistle, Ocarina,
Lead 1 (square), Lead 2 (sawtooth), Lead 3 (calliope), Lead 4 (chiff), Lead 5 (charang), Lead 6 (voice),
Lead 7 (fifths), Lead 8 (bass + lead),
Pad 1 (new age), Pad 2 (warm), Pad 3 (polysynth), Pad 4 (choir), Pad 5 (bowed), Pad 6 (metallic), Pad 7 (halo),
Pad 8 (sweep),
FX 1 (rain), FX 2 (soundtrack), FX 3 (crystal), FX 4 (atmosphere), FX 5 (brightness), FX 6 (goblins), FX 7 (echoes),
FX 8 (sci-fi),
Sitar, Banjo, Shamisen, Koto, Kalimba, Bag pipe, Fiddle, Shanai,
Tinkle Bell, Agogo, Steel Drums, Woodblock, Taiko Drum, Melodic Tom, Synth Drum, Reverse Cymbal,
Guitar Fret Noise, Breath Noise, Seashore, Bird Tweet, Telephone Ring, Helicopter, Applause, Gunshot
"""
NAMES = tuple(name.strip().lower() for name in _FAMILIES.split(","))
"""By program number, 0 to 127."""

_ALSO = {"piano": 0, "guitar": 25, "harp": 46, "bagpipe": 109, "bagpipes": 109, "concertina": 23, "tin whistle": 78}
_NUMBERS = {name: number for number, name in enumerate(NAMES)} | _ALSO


def program_of(name: str) -> int:
    """The number of an instrument, in capital letters or small ones.

    Raises:
        ValueError: there is none of this name.
    """
    number = _NUMBERS.get(name.strip().lower())
    if number is None:
        near = get_close_matches(name.strip().lower(), _NUMBERS, n=2)
        meant = f"did you mean {' or '.join(near)}? " if near else ""
        raise ValueError(
            f"{name[:40]!a} is not an instrument of General MIDI; {meant}/models and `lilt instruments` list them"
        )
    return number
