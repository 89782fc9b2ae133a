"""Serves moto on a loopback port of the kernel's choice, with what moto lacks for this program filled in.

Each gap below is named by its AWS API. It keeps what was sent, answers with that, and refuses as AWS does where the
program's order of deletion depends on it. Nothing here knows the program: no name, size or policy of ours.
"""

import json
import os
import sys
import threading
import uuid
from collections import defaultdict
from urllib.parse import unquote

from moto.backup.exceptions import InvalidRequestException, ResourceNotFoundException
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.backup.urls import url_paths as backup_paths
from moto.core.utils import unix_time
from moto.efs.responses import EFSResponse
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def gap(response):
    """Adds an API call to moto's handlers of one service, which find a call by its name in snake case."""

    def add(method):
        setattr(response, method.__name__, method)
        return method

    return add


def body(handler):
    return json.loads(handler.body or "{}")


def in_uri(handler, name):
    return unquote(handler.uri_match[name])


# AWS Backup: selections, a plan's update and final deletion, vault policies, recovery points, tags.


class Kept:
    """What one account and region of AWS Backup keeps beyond moto's own model."""

    def __init__(self):
        self.selections = defaultdict(dict)
        self.policies = {}
        self.points = defaultdict(dict)


kept_by_backend = defaultdict(Kept)


def kept(handler):
    return kept_by_backend[id(handler.backup_backend)]


def plan_of(handler):
    return handler.backup_backend.get_backup_plan(in_uri(handler, "backupPlanId"), None)


@gap(BackupResponse)
def update_backup_plan(self):
    plan = plan_of(self)
    plan.backup_plan = body(self)["BackupPlan"]
    for rule in plan.backup_plan["Rules"]:
        rule.setdefault("RuleId", str(uuid.uuid4()))
    plan.version_id = uuid.uuid4().hex
    return json.dumps(plan.to_dict())


@gap(BackupResponse)
def create_backup_selection(self):
    plan = plan_of(self)
    selection = {
        "BackupPlanId": plan.backup_plan_id,
        "SelectionId": str(uuid.uuid4()),
        "CreationDate": unix_time(),
        "BackupSelection": body(self)["BackupSelection"],
    }
    kept(self).selections[plan.backup_plan_id][selection["SelectionId"]] = selection
    return json.dumps(selection)


@gap(BackupResponse)
def get_backup_selection(self):
    plan = plan_of(self)
    selection = kept(self).selections[plan.backup_plan_id].get(in_uri(self, "selectionId"))
    if selection is None:
        raise ResourceNotFoundException(msg="Backup selection not found")
    return json.dumps(selection)


@gap(BackupResponse)
def list_backup_selections(self):
    plan = plan_of(self)
    return json.dumps(
        {
            "BackupSelectionsList": [
                {
                    "SelectionId": selection["SelectionId"],
                    "BackupPlanId": plan.backup_plan_id,
                    "SelectionName": selection["BackupSelection"]["SelectionName"],
                    "CreationDate": selection["CreationDate"],
                    "IamRoleArn": selection["BackupSelection"]["IamRoleArn"],
                }
                for selection in kept(self).selections[plan.backup_plan_id].values()
            ]
        }
    )


@gap(BackupResponse)
def delete_backup_selection(self):
    plan = plan_of(self)
    if kept(self).selections[plan.backup_plan_id].pop(in_uri(self, "selectionId"), None) is None:
        raise ResourceNotFoundException(msg="Backup selection not found")
    return "{}"


plain_delete_backup_plan = BackupBackend.delete_backup_plan


def delete_backup_plan(self, backup_plan_id):
    """DeleteBackupPlan: refused while selections stand; moto keeps the deleted plan and its name, AWS does not."""
    if kept_by_backend[id(self)].selections[backup_plan_id]:
        raise InvalidRequestException(msg="Related backup plan selections must be deleted prior to backup plan")
    answer = plain_delete_backup_plan(self, backup_plan_id)
    del self.plans[backup_plan_id]
    return answer


BackupBackend.delete_backup_plan = delete_backup_plan


@gap(BackupResponse)
def put_backup_vault_access_policy(self):
    vault = self.backup_backend.describe_backup_vault(in_uri(self, "backupVaultName"))
    kept(self).policies[vault.backup_vault_name] = body(self)["Policy"]
    return "{}"


@gap(BackupResponse)
def get_backup_vault_access_policy(self):
    vault = self.backup_backend.describe_backup_vault(in_uri(self, "backupVaultName"))
    policy = kept(self).policies.get(vault.backup_vault_name)
    if policy is None:
        raise ResourceNotFoundException(msg="The vault has no access policy")
    return json.dumps(
        {
            "BackupVaultName": vault.backup_vault_name,
            "BackupVaultArn": vault.backup_vault_arn,
            "Policy": policy,
        }
    )


@gap(BackupResponse)
def delete_backup_vault_access_policy(self):
    kept(self).policies.pop(in_uri(self, "backupVaultName"), None)
    return "{}"


@gap(BackupResponse)
def start_backup_job(self):
    """StartBackupJob: the recovery point is there at once."""
    asked = body(self)
    vault = self.backup_backend.describe_backup_vault(asked["BackupVaultName"])
    arn = vault.backup_vault_arn.replace(f"backup-vault:{vault.backup_vault_name}", f"recovery-point:{uuid.uuid4()}")
    kept(self).points[vault.backup_vault_name][arn] = {
        "RecoveryPointArn": arn,
        "BackupVaultName": vault.backup_vault_name,
        "BackupVaultArn": vault.backup_vault_arn,
        "ResourceArn": asked["ResourceArn"],
        "IamRoleArn": asked["IamRoleArn"],
        "Status": "COMPLETED",
        "CreationDate": unix_time(),
    }
    return json.dumps({"BackupJobId": str(uuid.uuid4()), "RecoveryPointArn": arn, "CreationDate": unix_time()})


@gap(BackupResponse)
def list_recovery_points_by_backup_vault(self):
    vault = self.backup_backend.describe_backup_vault(in_uri(self, "backupVaultName"))
    return json.dumps({"RecoveryPoints": list(kept(self).points[vault.backup_vault_name].values())})


@gap(BackupResponse)
def describe_recovery_point(self):
    point = kept(self).points[in_uri(self, "backupVaultName")].get(in_uri(self, "recoveryPointArn"))
    if point is None:
        raise ResourceNotFoundException(msg="Recovery point not found")
    return json.dumps(point)


@gap(BackupResponse)
def delete_recovery_point(self):
    points = kept(self).points[in_uri(self, "backupVaultName")]
    if points.pop(in_uri(self, "recoveryPointArn"), None) is None:
        raise ResourceNotFoundException(msg="Recovery point not found")
    return "{}"


plain_delete_backup_vault = BackupBackend.delete_backup_vault


def delete_backup_vault(self, backup_vault_name):
    """DeleteBackupVault: refused while it holds recovery points."""
    if kept_by_backend[id(self)].points[backup_vault_name]:
        raise InvalidRequestException(msg="Backup vault cannot be deleted because it contains recovery points")
    kept_by_backend[id(self)].policies.pop(backup_vault_name, None)
    plain_delete_backup_vault(self, backup_vault_name)


BackupBackend.delete_backup_vault = delete_backup_vault


@gap(BackupResponse)
def list_tags(self):
    """ListTags: moto takes the ARN from the wrong end of the path when it is not followed by a slash."""
    return json.dumps({"Tags": self.backup_backend.list_tags(in_uri(self, "resourceArn"))})


for below in ("access-policy", "recovery-points/", "recovery-points/(?P<point>.+)"):
    backup_paths["{0}/backup-vaults/(?P<name>[^/]+)/" + below + "$"] = backup_paths["{0}/backup/plans/?$"]
backup_paths["{0}/backup-jobs$"] = backup_paths["{0}/backup/plans/?$"]


# EFS: the switch for automatic backups, a policy's deletion, a file system's update.


@gap(EFSResponse)
def put_backup_policy(self):
    system = self.efs_backend.file_systems_by_id[in_uri(self, "FileSystemId")]
    system._backup_policy_sent = body(self)["BackupPolicy"]
    return json.dumps({"BackupPolicy": system._backup_policy_sent}), {}


plain_describe_backup_policy = EFSResponse.describe_backup_policy


@gap(EFSResponse)
def describe_backup_policy(self):
    system = self.efs_backend.file_systems_by_id[in_uri(self, "FileSystemId")]
    if not hasattr(system, "_backup_policy_sent"):
        return plain_describe_backup_policy(self)
    return json.dumps({"BackupPolicy": system._backup_policy_sent}), {}


@gap(EFSResponse)
def delete_file_system_policy(self):
    self.efs_backend.file_systems_by_id[in_uri(self, "FileSystemId")].file_system_policy = None
    return "{}", {}


def main():
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(server.server_address[1], flush=True)
    # The parent holds this process's standard input open: when the parent is gone, so is the emulator.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.serve_forever()


if __name__ == "__main__":
    main()
