"""Write the files of ONNX Runtime Web that the page of `zoo serve` needs. It needs npm and a network.

python tools/vendor_onnxruntime_web.py
"""

import gzip
import subprocess
import tarfile
import tempfile
from pathlib import Path

VERSION = "1.30.0"
VENDOR = Path(__file__).parents[1] / "zoo" / "serving" / "page" / "vendor"
SCRIPT, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"


def main() -> None:
    """Download the package, whose checksum npm compares, and write its files."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", f"onnxruntime-web@{VERSION}"]
        subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (package,) = Path(folder).glob("*.tgz")
        with tarfile.open(package) as archive:
            script, wasm = (_read(archive, name) for name in (SCRIPT, WASM))
    (VENDOR / SCRIPT).write_bytes(script)
    (VENDOR / f"{WASM}.gz").write_bytes(gzip.compress(wasm, 9, mtime=0))


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(f"package/dist/{name}")
    assert file is not None, name
    return file.read()


if __name__ == "__main__":
    main()
