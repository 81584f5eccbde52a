"""Clients of one plant's endpoint in Azure, a few at all times; when asked to end, says what they saw.

    clients.py ENVIRONMENT PLANT CIRCUIT

The endpoint and its key are asked for with the SDK, as a client's team would.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from azure.ai.ml import MLClient
from azure.identity import DefaultAzureCredential

CLIENTS = 4
SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"


def main() -> None:
    """Ask until asked to end."""
    environment, plant, circuit = sys.argv[1:]
    workspace = MLClient(
        DefaultAzureCredential(),
        SUBSCRIPTION,
        "fleetcast",
        f"fleetcast-{environment}",
        enable_telemetry=False,
    )
    endpoint = next(
        one for one in workspace.online_endpoints.list() if (one.tags or {}).get("plant_id") == plant
    )
    keys = workspace.online_endpoints.get_keys(endpoint.name)
    headers = {"authorization": f"Bearer {keys.primary_key}", "content-type": "application/json"}
    body = json.dumps({"circuit_id": circuit})
    seen: Counter[str] = Counter()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())

    def ask() -> None:
        with httpx.Client(verify=os.environ["SSL_CERT_FILE"], timeout=60) as client:
            while not ended.is_set():
                answer = client.post(str(endpoint.scoring_uri), content=body, headers=headers)
                said = (
                    answer.json()
                    if answer.headers.get("content-type", "").startswith("application/json")
                    else {}
                )
                seen[f"{answer.status_code}, version {said.get('version')}, {said.get('deployment')}"] += 1

    with ThreadPoolExecutor(CLIENTS) as pool:
        for _ in range(CLIENTS):
            pool.submit(ask)
        ended.wait()
    print("what clients saw:")
    for what, count in sorted(seen.items()):
        print(f"  {count:6,} × {what}")


if __name__ == "__main__":
    main()
