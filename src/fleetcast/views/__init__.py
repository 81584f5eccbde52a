"""What people and programs are shown: the words, view models and JSON behind the command line, the web and the API.

The JSON has one dialect, which `tests/views/test_json_dialect.py` holds every view to:

- Names are snake_case. What people have named (sensors, tags, settings) is a key only directly below `sensors`,
  `readings`, `tags`, `units`, `settings`, `inputs`, `stated`, `assumed` and an audit entry's `detail`.
- Moments are ISO 8601 in UTC with a `Z`, under names that end in `_at`. Days and cutoffs keep the name and the
  spelling of the circuits' files: `cutoff_date`.
- A circuit is `plant_id` and `circuit_id`, never both in one text.
- A model is `model_name`, and one version of it the whole number `version`. What passes a gate has a `kind`, a `name`
  and an `asset_version` in text, as environments have; a model has `model_name` and `version` besides.
- A version of a table of readings is `delta_version`. Requests, runs and jobs are `request_id`, `run_id`, `job_id`.
- Units are in names: `step_seconds`, `artifact_bytes`. Readings and errors are in their sensor's own unit. Declared
  settings are spelt as in the circuits' files: `frequency: 1h`.
- What is unknown, or does not apply, is null; a name is never left out.
"""
