"""What pipelines of a fleet in Azure DevOps name."""

from __future__ import annotations

from pathlib import Path

from fleetcast.config.pipeline_uses import pipeline_uses
from fleetcast.config.pipelines import write_pipelines
from fleetcast.domain.ci import Ci
from fleetcast.domain.wanted_installation import PipelineFile


def test_the_generated_pipelines_name_what_they_need_and_no_more(tmp_path: Path) -> None:
    write_pipelines(tmp_path, Ci.AZURE_DEVOPS, "1.0.0")
    found = {one.name: one for one in pipeline_uses(tmp_path)}
    assert len(found) == 8
    shared = {"mlops-shared-variables", "mlops-pipeline-settings"}
    assert found["rollback-pipeline"] == PipelineFile(
        "rollback-pipeline",
        ".azuredevops/rollback-pipeline.yml",
        frozenset({*shared, "mlops-prod-variables", "mlops-test-variables"}),
        frozenset({"rollback"}),
        frozenset({"mlops-rollback"}),
    )
    assert found["prod-deployment-pipeline"].connections == {"mlops-prod"}
    assert found["training-pipeline"].connections == {"mlops-dev"}
    assert found["dummy-training-pipeline"].groups == frozenset()
    assert [name for name, one in found.items() if one.is_validation] == ["pr-validation-pipeline"]


def test_names_are_found_however_they_are_written(tmp_path: Path) -> None:
    folder = tmp_path / ".azuredevops"
    folder.mkdir()
    (folder / "own.yml").write_text(
        "parameters:\n"
        "  - {name: where, values: [dev, test]}\n"
        "  - {name: free}\n"
        "variables:\n"
        "  - group: mlops-${{ parameters.where }}-variables\n"
        "  - group: somebody-elses\n"
        "jobs:\n"
        "  - deployment: a\n"
        "    environment: {name: 'deploy-${{ parameters.where }}'}\n"
        "  - deployment: b\n"
        "    environment: ${{ parameters.free }}\n"
        "    steps:\n"
        "      - task: AzureCLI@2\n"
        "        inputs: {azureSubscription: 'mlops-${{ parameters.where }}'}\n"
    )
    assert pipeline_uses(tmp_path) == (
        PipelineFile(
            "own",
            ".azuredevops/own.yml",
            frozenset({"mlops-dev-variables", "mlops-test-variables"}),
            frozenset({"deploy-dev", "deploy-test"}),
            frozenset({"mlops-dev", "mlops-test"}),
        ),
    )
