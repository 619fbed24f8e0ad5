"""The Dockerfile as instructions: enough of its language for ours."""

import json
import re
from pathlib import Path

import msgspec

PROJECT = Path(__file__).parents[2]
FILE = PROJECT / "docker" / "Dockerfile"


class Instruction(msgspec.Struct, frozen=True):
    """Such as RUN, and what follows it, on one line."""

    keyword: str
    value: str

    def array(self) -> list[str]:
        """The exec form's words. Raises ValueError for the shell form."""
        words: list[str] = json.loads(self.value)
        return words


class Stage(msgspec.Struct, frozen=True):
    """A stage: what it is from, its name, and its instructions."""

    base: str
    name: str
    instructions: tuple[Instruction, ...]

    def all(self, keyword: str) -> list[Instruction]:
        return [instruction for instruction in self.instructions if instruction.keyword == keyword]

    def only(self, keyword: str) -> Instruction:
        (found,) = self.all(keyword)
        return found


def stages(text: str) -> list[Stage]:
    """Return the stages, in order. Base images are those that the ARGs before the first name."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    images = {
        f"${{{name}}}": image for name, image in re.findall(r"(?m)^ARG (\w+_IMAGE)=(\S+)$", text)
    }
    found: list[Stage] = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        keyword, _, value = line.partition(" ")
        value = " ".join(value.split())
        if keyword == "FROM":
            base, _, name = value.partition(" AS ")
            base = images.get(base, base)
            found.append(Stage(base, name, ()))
        elif found:
            instructions = (*found[-1].instructions, Instruction(keyword, value))
            found[-1] = msgspec.structs.replace(found[-1], instructions=instructions)
    return found


def installed_by(stage: Stage) -> list[str]:
    """The packages that its `apt-get install` names."""
    runs = " && ".join(instruction.value for instruction in stage.all("RUN"))
    packages = re.findall(r"apt-get install -y --no-install-recommends ([^&;]*)", runs)
    return [name for names in packages for name in names.split()]
