"""Sound: files to samples, samples to features, folders of recordings to sources."""

from thalweg.data.sound.encoder import Padded, SoundEncoder, frame_mask, pad_rows
from thalweg.data.sound.features import MFCC, LogMel, PerUtterance
from thalweg.data.sound.files import Sound, check_sound, load_sounds, read_sound, resample
from thalweg.data.sound.folder import Recordings, SoundSource, list_sounds, read_sound_table

__all__ = [
    "MFCC",
    "LogMel",
    "Padded",
    "PerUtterance",
    "Recordings",
    "Sound",
    "SoundEncoder",
    "SoundSource",
    "check_sound",
    "frame_mask",
    "list_sounds",
    "load_sounds",
    "pad_rows",
    "read_sound",
    "read_sound_table",
    "resample",
]
