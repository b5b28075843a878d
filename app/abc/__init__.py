"""The ABC notation: reader, writer, theory (keys, metres, pitches, lengths), transposition, MusicXML, fingerprints."""
