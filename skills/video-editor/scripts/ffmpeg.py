"""The ffmpeg command as a list of arguments (never a shell line), probing, running and checking the result."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import clocks
from timeline import Decisions, Frame, Segment
from wire import ProgramFailed, refuse

CAPTIONS = "captions.srt"
CODECS = {
    "mp4": ["-c:v", "libx264", "-preset", "medium", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k", "-movflags", "+faststart"],
    "mov": ["-c:v", "libx264", "-preset", "medium", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac", "-b:a", "192k"],
    "webm": ["-c:v", "libvpx-vp9", "-crf", "32", "-b:v", "0", "-c:a", "libopus", "-b:a", "128k"],
    "gif": ["-loop", "0"],
}
STYLE = "Fontsize=20,Outline=1,MarginV=24"
TOLERANCE = 250


class Source(NamedTuple):
    """The video that is edited."""

    path: str
    duration: int
    width: Optional[int]
    height: Optional[int]
    audio: bool


def safe_path(text: str, where: str) -> str:
    """A path to a plain file: no address, no device, no control character."""
    if re.match(r"^[A-Za-z][A-Za-z0-9+.-]*:", text) and not re.match(r"^[A-Za-z]:[\\/]", text):
        raise refuse(where, f"`{text[:80]}` is an address, not a file; download it first")
    if any(ord(char) < 32 for char in text) or text.startswith(("/dev/", "/proc/", "/sys/", "\\\\")):
        raise refuse(where, f"`{text[:80]}` is no plain file")
    return text


def probe(path: str) -> Dict[str, Any]:
    """Duration, size and sound of a file, asked of ffprobe."""
    if shutil.which("ffprobe") is None:
        raise refuse("input.source.duration", "missing, and ffprobe is not installed to find it out; give duration, width, height and audio")
    if not Path(path).is_file():
        raise refuse("input.source.path", f"there is no file `{path}`; to plan without it give source.duration")
    command = ["ffprobe", "-v", "error", "-protocol_whitelist", "file", "-show_entries", "format=duration:stream=codec_type,width,height", "-of", "json", f"file:{path}"]
    try:
        done = subprocess.run(command, capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        found = json.loads(done.stdout or b"{}")
        seconds = Decimal(found["format"]["duration"])
    except (subprocess.TimeoutExpired, ValueError, KeyError, ArithmeticError) as error:
        raise refuse("input.source.path", f"ffprobe cannot read `{path}` as a video") from error
    streams = found.get("streams", [])
    video = next((stream for stream in streams if stream.get("codec_type") == "video"), None)
    if video is None:
        raise refuse("input.source.path", f"`{path}` has no picture")
    audio = any(stream.get("codec_type") == "audio" for stream in streams)
    return {"duration": int(seconds * 1000), "width": video.get("width"), "height": video.get("height"), "audio": audio}


def command(source: Source, decisions: Decisions, output: str, overwrite: bool) -> List[str]:
    """The arguments; run them in the folder that holds the captions file, if there is one."""
    sound = source.audio and decisions.form != "gif"
    graph = filter_graph(source, decisions, sound)
    maps = ["-map", "[vout]", *(["-map", "[aout]"] if sound else [])]
    codecs = CODECS[decisions.form] if sound or decisions.form == "gif" else _without_audio(CODECS[decisions.form])
    front = ["ffmpeg", "-hide_banner", "-nostdin", "-loglevel", "error", "-y" if overwrite else "-n", "-protocol_whitelist", "file", "-i", f"file:{source.path}"]
    return [*front, "-filter_complex", graph, *maps, *codecs, f"file:{output}"]


def _without_audio(codecs: List[str]) -> List[str]:
    kept = [codecs[index : index + 2] for index in range(0, len(codecs), 2) if codecs[index] not in ("-c:a", "-b:a")]
    return [*(part for pair in kept for part in pair), "-an"]


def filter_graph(source: Source, decisions: Decisions, sound: bool) -> str:
    """Segments are trimmed, sped, joined; then frame, captions and fades are applied. Only numbers and fixed words get in."""
    parts: List[str] = []
    labels = ""
    for index, segment in enumerate(decisions.segments):
        parts.append(f"[0:v]{_trim('trim', segment)},setpts={_pts(segment.speed)}[v{index}]")
        labels += f"[v{index}]"
        if sound:
            parts.append(f"[0:a]{_trim('atrim', segment)},asetpts=PTS-STARTPTS{_audio(segment)}[a{index}]")
            labels += f"[a{index}]"
    count = len(decisions.segments)
    parts.append(f"{labels}concat=n={count}:v=1:a={int(sound)}[vjoined]{'[ajoined]' if sound else ''}")
    parts.append(f"[vjoined]{','.join(_picture(source, decisions))}[vout]")
    if sound:
        parts.append(f"[ajoined]{','.join(_fades('afade', decisions)) or 'anull'}[aout]")
    return ";".join(parts)


def _trim(name: str, segment: Segment) -> str:
    return f"{name}=start={clocks.decimal(segment.start)}:end={clocks.decimal(segment.end)}"


def _pts(speed: Fraction) -> str:
    return "PTS-STARTPTS" if speed == 1 else f"(PTS-STARTPTS)*{speed.denominator}/{speed.numerator}"


def _audio(segment: Segment) -> str:
    """Speed without a change of pitch, in steps between 0.5 and 2; then the volume."""
    steps, rest = "", segment.speed
    while rest > 2:
        steps, rest = f"{steps},atempo=2", rest / 2
    while rest < Fraction(1, 2):
        steps, rest = f"{steps},atempo=0.5", rest * 2
    if rest != 1:
        steps += f",atempo={float(rest):.6g}"
    volume = "0" if segment.muted else segment.volume
    return steps if volume == "1" else f"{steps},volume={volume}"


def _picture(source: Source, decisions: Decisions) -> List[str]:
    frame = decisions.frame
    steps = {90: ["transpose=1"], 180: ["hflip", "vflip"], 270: ["transpose=2"]}.get(frame.rotate, [])
    steps = [*steps, *({"horizontal": ["hflip"], "vertical": ["vflip"]}.get(frame.flip or "", []))]
    steps += _resized(source, frame)
    if frame.fps:
        steps.append(f"fps={frame.fps}")
    if decisions.subtitles:
        steps.append(f"subtitles={CAPTIONS}:force_style='{STYLE}'")
    steps += _fades("fade", decisions)
    if decisions.form == "gif":
        steps.append("split[one][two];[one]palettegen[palette];[two][palette]paletteuse")
    return steps or ["null"]


def _resized(source: Source, frame: Frame) -> List[str]:
    """Cropped or padded to the ratio, then scaled; all sides even."""
    target = target_size(source, frame)
    if frame.ratio is None and target is None:
        return []
    if target is None:
        assert frame.ratio is not None
        wide, high = frame.ratio
        if frame.fit == "pad":
            return [f"pad=w='ceil(max(iw,ih*{wide}/{high})/2)*2':h='ceil(max(ih,iw*{high}/{wide})/2)*2':x='(ow-iw)/2':y='(oh-ih)/2'", "setsar=1"]
        return [f"crop=w='trunc(min(iw,ih*{wide}/{high})/2)*2':h='trunc(min(ih,iw*{high}/{wide})/2)*2'", "setsar=1"]
    width, height = target
    if frame.ratio is None and "x" not in (frame.size or ""):
        return [f"scale={width}:{height}", "setsar=1"]
    if frame.fit == "pad":
        return [f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2", f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2", "setsar=1"]
    return [f"scale={width}:{height}:force_original_aspect_ratio=increase:force_divisible_by=2", f"crop={width}:{height}", "setsar=1"]


def target_size(source: Source, frame: Frame) -> Optional[Tuple[int, int]]:
    """The result's size: `1080p` is the shorter side; -2 leaves the other side to the source's shape."""
    if frame.size is None:
        return None
    numbers = [int(number) // 2 * 2 for number in re.findall(r"\d+", frame.size)]
    if len(numbers) == 2:
        return numbers[0], numbers[1]
    short = numbers[0]
    if frame.ratio:
        wide, high = frame.ratio
        return (short * wide // high // 2 * 2, short) if wide >= high else (short, short * high // wide // 2 * 2)
    upright = bool(source.width and source.height and (source.height > source.width) != (frame.rotate in (90, 270)))
    return (short, -2) if upright else (-2, short)


def enlarges(source: Source, frame: Frame) -> bool:
    """Whether the result has more pixels on a side than the source can fill."""
    target = target_size(source, frame)
    if target is None or not source.width or not source.height:
        return False
    sides = (source.height, source.width) if frame.rotate in (90, 270) else (source.width, source.height)
    return any(wanted > have for wanted, have in zip(target, sides))


def _fades(name: str, decisions: Decisions) -> List[str]:
    found = []
    if decisions.fade_in:
        found.append(f"{name}=t=in:st=0:d={clocks.decimal(decisions.fade_in)}")
    if decisions.fade_out:
        found.append(f"{name}=t=out:st={clocks.decimal(decisions.duration - decisions.fade_out)}:d={clocks.decimal(decisions.fade_out)}")
    return found


def captions(decisions: Decisions) -> str:
    """The subtitles as SubRip; markup characters are made harmless."""
    blocks = []
    for number, item in enumerate(decisions.subtitles, start=1):
        text = "\n".join(line.strip() for line in item.text.replace("\r", "").split("\n") if line.strip())
        text = text.replace("-->", "→").replace("{", "(").replace("}", ")").replace("<", "‹").replace(">", "›").replace("\\", "/")
        blocks.append(f"{number}\n{clocks.srt(item.start)} --> {clocks.srt(item.end)}\n{text}\n")
    return "\n".join(blocks)


# --- running ------------------------------------------------------------------------------------------------------


def run(source: Source, decisions: Decisions, output: str, overwrite: bool, seconds: int) -> Dict[str, Any]:
    """Runs the plan and checks that what came out is what was planned."""
    if shutil.which("ffmpeg") is None:
        raise ProgramFailed("ffmpeg is not installed; install it, or hand over the plan")
    source_path, target = Path(source.path).resolve(), Path(output).resolve()
    if not source_path.is_file():
        raise refuse("input.source.path", f"there is no file `{source.path}`")
    if source_path == target:
        raise refuse("input.output.path", "is the source itself; choose another name")
    if target.exists() and not overwrite:
        raise refuse("input.output.path", f"`{output}` exists; choose another name or set overwrite")
    if not target.parent.is_dir():
        raise refuse("input.output.path", f"there is no folder `{target.parent}`")
    with tempfile.TemporaryDirectory() as folder:
        if decisions.subtitles:
            (Path(folder) / CAPTIONS).write_text(captions(decisions), encoding="utf-8")
        arguments = command(source._replace(path=str(source_path)), decisions, str(target), overwrite)
        try:
            done = subprocess.run(arguments, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired as error:
            target.unlink(missing_ok=True)
            raise ProgramFailed(f"ffmpeg did not finish within {seconds} s; shorten the job or raise --seconds") from error
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        message = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ProgramFailed(f"ffmpeg failed ({done.returncode}): {' / '.join(message[-3:])[:600] or 'no message'}")
    return _checked(target, decisions)


def _checked(target: Path, decisions: Decisions) -> Dict[str, Any]:
    found = probe(str(target))
    off = abs(found["duration"] - decisions.duration)
    return {
        "path": str(target), "bytes": target.stat().st_size, "duration": found["duration"], "width": found["width"], "height": found["height"], "audio": found["audio"],
        "as_planned": off <= max(TOLERANCE, decisions.duration // 50),
    }
