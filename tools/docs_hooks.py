"""Hooks of MkDocs: pages that are not in docs/, and links to files of the repository.

The front page is README, and the changelog is CHANGELOG. The pages of the API are made from the public
names of the zoo. A link to a file outside docs/ opens a copy of the file in the site.
"""

import ast
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
# Public names of the pages of the API, by page.
API = {
    "api/zoo.md": ("Functions", "zoo"),
    "api/layers.md": ("Layers", "zoo.layers"),
}
RECIPE = (
    "zoo.common.core.registry.register",
    "zoo.common.core.recipe.Recipe",
    "zoo.common.core.data.Data",
    "zoo.common.core.task.Task",
    "zoo.common.core.states.StateSpec",
    "zoo.common.core.capabilities",
)
LINK = re.compile(r"(\]\()([^)#:\s]+)((?:#[^)]*)?\))")
FILES = "files"
# Pages with a wide table instead of a table of contents.
WIDE = {"presets.md"}


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and copies of the linked files of the repository."""
    pages = {path: _api(title, _names(module)) for path, (title, module) in API.items()}
    pages["api/recipe.md"] = _api("Parts of a recipe", RECIPE)
    pages["index.md"] = (ROOT / "README.md").read_text("utf-8").replace("](docs/", "](")
    pages["changelog.md"] = (ROOT / "CHANGELOG.md").read_text("utf-8")
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    linked = {
        target
        for file in files.documentation_pages()
        for _, link, _ in LINK.findall(file.content_string)
        if (target := _outside(link, file.src_uri))
    }
    for target in sorted(linked):
        copied = File.generated(config, _copy_of(target), content=target.read_bytes())
        files.append(copied)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Return the text of a page with links to the copies of files outside docs/."""
    here = page.file.src_uri
    if here in WIDE:
        page.meta["hide"] = ["toc"]

    def replaced(match: re.Match) -> str:
        before, link, after = match.groups()
        target = _outside(link, here)
        up = "../" * here.count("/")
        return f"{before}{up}{_copy_of(target)}{after}" if target else match[0]

    return LINK.sub(replaced, markdown)


def _outside(link: str, page: str) -> Path | None:
    """Return the file of the repository outside docs/ to which a link of a page leads; else None."""
    base = ROOT if page == "index.md" and not link.startswith("../") else ROOT / "docs"
    target = (base / link).resolve()
    inside = target.is_relative_to(ROOT / "docs") or not target.is_relative_to(ROOT)
    return None if inside or not target.is_file() else target


def _copy_of(target: Path) -> str:
    # Markdown would become a page.
    return f"{FILES}/{target.relative_to(ROOT)}".replace(".md", ".txt")


def _names(module: str) -> list[str]:
    """Return the full public names of a module, from its `__all__`."""
    path = ROOT.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    for node in ast.parse(source.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
            return [f"{module}.{name}" for name in ast.literal_eval(node.value)]
    raise ValueError(f"{source} has no __all__.")


def _api(title: str, names: list[str] | tuple[str, ...]) -> str:
    return f"# {title}\n\n" + "\n\n".join(f"::: {name}" for name in names) + "\n"
