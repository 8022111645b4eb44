"""`guiderail policy schema`: what may stand in the files of a pack, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from guiderail.cli.options import formats
from guiderail.cli.output import print_json, print_lines


@click.command("schema", epilog="Example: guiderail policy schema --into policies/schemas")
@click.argument("kind", required=False)
@click.option(
    "--into",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the schemas of all kinds of files into this directory.",
)
@formats()
def schema(kind: str | None, folder: Path | None, format_: str) -> int:
    """Print the JSON Schema of one kind of file, or write all of them.

    KIND is pack, or a folder of a pack in the singular: tier, track, gate, and so on.
    """
    from guiderail.service.policy_schema import kinds, schema_document, write_schemas

    if folder is not None:
        written = [str(path) for path in write_schemas(folder, kind)]
        if format_ == "json":
            print_json({"written": written})
        else:
            from guiderail.render.lines import Line

            print_lines(Line(path) for path in written)
        return 0
    if kind is None:
        raise click.UsageError(f"Name a kind of file ({', '.join(kinds())}), or use --into DIR.")
    print_json(schema_document(kind))
    return 0
