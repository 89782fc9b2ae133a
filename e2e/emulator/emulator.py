"""Serves moto on a loopback port of the kernel's choice, with what moto lacks for this program filled in.

Each gap below is named by its AWS API. It keeps what was sent, answers with that, and refuses as AWS does where the
program's order of deletion depends on it. Nothing here knows the program: no name, size or policy of ours.
"""

import inspect
import json
import os
import sys
import threading
import traceback
import uuid
from collections import defaultdict
from urllib.parse import unquote
from xml.etree import ElementTree

import waitress

from faults import Faults

os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"  # AWS's own policies exist, under their real names

from moto.backup.exceptions import InvalidRequestException, ResourceNotFoundException
from moto.backup.models import BackupBackend
from moto.backup.responses import BackupResponse
from moto.backup.urls import url_paths as backup_paths
from moto.core.responses import ActionResult
from moto.core.utils import unix_time, utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.efs.responses import EFSResponse
from moto.iam.access_control import PermissionResult
from moto.iam.exceptions import NotFoundException
from moto.iam.models import IAMBackend
from moto.s3.models import FakeBucket, FakeDeleteMarker
from moto.s3.responses import S3Response
from moto.sagemaker.responses import SageMakerResponse
from moto.server import DomainDispatcherApplication, create_backend_app


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
def list_backup_vaults(self):
    """ListBackupVaults: moto leaves out the key of a vault that names none (AWS's own), and counts no points."""
    vaults = []
    for vault in self.backup_backend.list_backup_vaults():
        own = vault.backup_vault_arn.replace(":backup:", ":kms:").replace(f"backup-vault:{vault.backup_vault_name}", "key/own")
        points = len(kept(self).points[vault.backup_vault_name])
        vaults.append({"EncryptionKeyArn": own, "Locked": False, **vault.to_list_dict(), "NumberOfRecoveryPoints": points})
    return json.dumps({"BackupVaultList": vaults})


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


# EC2: what DescribeInstances, DescribeSecurityGroupRules and DescribeVpcEndpoints say.


def primary_groups(instance):
    primary = getattr(instance, "nics", {}).get(0)
    return list(primary._group_set) if primary else instance._groups_sent


def set_primary_groups(instance, groups):
    instance._groups_sent = groups
    if getattr(instance, "nics", {}).get(0):
        instance.nics[0]._group_set = groups


# DescribeInstances: an instance's groups are those of its primary interface, however that got them.
Instance.security_groups = property(primary_groups, set_primary_groups)

plain_association = NetworkInterface.association.fget
# DescribeInstances: an interface without a public address has no association, not an empty one.
NetworkInterface.association = property(lambda interface: plain_association(interface) or None)

plain_prep_nics = Instance.prep_nics


def prep_nics(self, nic_spec, *args, **kwargs):
    """RunInstances: an interface made with the instance goes with it, unless the caller says otherwise."""
    sent = {int(nic["DeviceIndex"]): nic for nic in nic_spec}
    plain_prep_nics(self, nic_spec, *args, **kwargs)
    for index, interface in self.nics.items():
        asked = sent.get(index, {})
        if "NetworkInterfaceId" not in asked and "DeleteOnTermination" not in asked:
            interface.delete_on_termination = True


Instance.prep_nics = prep_nics

plain_terminate = Instance.terminate


def terminate(self):
    """TerminateInstances: an interface that outlives the instance is free again."""
    interfaces = list(self.nics.values())
    answer = plain_terminate(self)
    for interface in interfaces:
        if interface.id in self.ec2_backend.enis:
            interface.instance = interface.attachment_id = interface.attach_time = interface.device_index = None
            interface.status = "available"
    return answer


Instance.terminate = terminate

plain_associate_address = EC2Backend.associate_address


def associate_address(self, instance=None, eni=None, address=None, allocation_id=None, reassociate=False):
    """AssociateAddress: an address that is in use moves, since nobody here says that it may not."""
    for found in self.address_by_allocation([allocation_id]) if allocation_id else []:
        if found.eni:
            found.eni.public_ip = None
    return plain_associate_address(self, instance, eni, address, allocation_id, reassociate or bool(allocation_id))


EC2Backend.associate_address = associate_address

plain_rule = SecurityGroupRule.__init__


def security_group_rule(self, *args, **kwargs):
    plain_rule(self, *args, **kwargs)
    self.prefix_list_sent = inspect.signature(plain_rule).bind(self, *args, **kwargs).arguments.get("prefix_list_id") or {}


SecurityGroupRule.__init__ = security_group_rule
# DescribeSecurityGroupRules: the description of a rule whose other end is a group or a prefix list.
SecurityGroupRule.description = property(
    lambda rule: next(
        (end["Description"] for end in (rule.ip_range, rule.source_group, rule.prefix_list_sent) if "Description" in end),
        None,
    )
)

plain_delete_vpc_endpoints = EC2Backend.delete_vpc_endpoints


def delete_vpc_endpoints(self, vpce_ids=None):
    """DeleteVpcEndpoints: a deleted endpoint can be described no more."""
    plain_delete_vpc_endpoints(self, vpce_ids)
    for endpoint in vpce_ids or []:
        self.vpc_end_points.pop(endpoint, None)


EC2Backend.delete_vpc_endpoints = delete_vpc_endpoints


# S3: the deletion of delete markers, conditions of bucket policies, notifications to EventBridge.

# DeleteObjects: moto drops what an object holds in memory, and a delete marker holds nothing.
FakeDeleteMarker.dispose = lambda marker: None

plain_get_permission = FakeBucket.get_permission


def get_permission(self, action, resource):
    """Any S3 request: moto takes a policy's statements without their conditions, and this server has no TLS. A statement
    that depends on a condition decides nothing here; that it is there and what it says is read with GetBucketPolicy."""
    if self.policy is None:
        return plain_get_permission(self, action, resource)
    whole = self.policy
    document = json.loads(whole)
    document["Statement"] = [statement for statement in document["Statement"] if not statement.get("Condition")]
    if not document["Statement"]:
        return PermissionResult.NEUTRAL
    try:
        self.policy = json.dumps(document).encode()
        return plain_get_permission(self, action, resource)
    finally:
        self.policy = whole


FakeBucket.get_permission = get_permission

plain_get_bucket_notification = S3Response.get_bucket_notification


@gap(S3Response)
def get_bucket_notification(self):
    """GetBucketNotificationConfiguration: EventBridge, which has no settings but to be there."""
    kept_configuration = self.backend.get_bucket_notification_configuration(self.bucket_name)
    if kept_configuration is None or kept_configuration.event_bridge is None:
        return plain_get_bucket_notification(self)
    status, headers, text = plain_get_bucket_notification(self)
    root = ElementTree.fromstring(text)
    ElementTree.SubElement(root, root.tag.replace("NotificationConfiguration", "EventBridgeConfiguration"))
    return status, headers, ElementTree.tostring(root, encoding="unicode", default_namespace=root.tag[1:].partition("}")[0])


# IAM: the end of an instance profile that is half gone already.

plain_remove_role = IAMBackend.remove_role_from_instance_profile


def remove_role_from_instance_profile(self, profile_name, role_name):
    """RemoveRoleFromInstanceProfile: a role that is not in the profile is no failure of the server."""
    if self.get_role(role_name) not in self.get_instance_profile(profile_name).roles:
        raise NotFoundException(f"The role with name {role_name} cannot be found in the instance profile")
    return plain_remove_role(self, profile_name, role_name)


IAMBackend.remove_role_from_instance_profile = remove_role_from_instance_profile


# SageMaker: what was sent and moto's models leave out, an endpoint's update.

sent_to_sagemaker = {}  # what was sent, by the ARN of what it made


def keep_sent(create, arn):
    """CreateModel, CreateEndpointConfig: keeps the whole request."""

    def call(self):
        answer = create(self)
        sent_to_sagemaker[answer.result[arn]] = dict(self._get_params())
        return answer

    return call


def describe_sent(describe, arn):
    """DescribeModel, DescribeEndpointConfig: every member that was sent, none that was not and is empty."""

    def call(self):
        known = describe(self).result
        sent = sent_to_sagemaker.get(known[arn], {})
        return ActionResult({**{name: value for name, value in known.items() if value not in (None, {}, [])}, **sent})

    return call


SageMakerResponse.create_model = keep_sent(SageMakerResponse.create_model, "ModelArn")
SageMakerResponse.describe_model = describe_sent(SageMakerResponse.describe_model, "ModelArn")
SageMakerResponse.create_endpoint_config = keep_sent(SageMakerResponse.create_endpoint_config, "EndpointConfigArn")
SageMakerResponse.describe_endpoint_config = describe_sent(SageMakerResponse.describe_endpoint_config, "EndpointConfigArn")


@gap(SageMakerResponse)
def update_endpoint(self):
    backend = self.sagemaker_backend
    endpoint = backend.endpoints[self._get_param("EndpointName")]
    configuration = backend.describe_endpoint_config(self._get_param("EndpointConfigName"))
    endpoint.endpoint_config_name = configuration["EndpointConfigName"]
    endpoint.production_variants = endpoint._process_production_variants(configuration["ProductionVariants"])
    endpoint.last_modified_time = utcnow()
    return ActionResult({"EndpointArn": endpoint.arn})


def faults_at_once(application):
    """Turns a failure of the emulator itself, which a client would repeat for minutes, into a refusal, and logs refusals."""

    def call(environment, start_response):
        def start(status, headers, *rest):
            if status.startswith("5"):
                status = "400 Emulator Failure"
            if status.startswith("4"):
                print(environment["REQUEST_METHOD"], environment["REQUEST_URI"], status, file=sys.stderr, flush=True)
            return start_response(status, headers, *rest)

        environment["RAW_URI"] = environment["REQUEST_URI"]  # where moto looks for a path as it was sent
        try:
            return application(environment, start)
        except Exception as failure:
            traceback.print_exc()
            start("500 Failure", [("Content-Type", "text/plain")])
            return [repr(failure).encode()]

    return call


def main():
    # Not moto's own development server: that one closes the connection after each answer.
    application = Faults(faults_at_once(DomainDispatcherApplication(create_backend_app)))
    server = waitress.create_server(application, host="127.0.0.1", port=0, threads=16)
    print(server.effective_port, flush=True)
    # The parent holds this process's standard input open: when the parent is gone, so is the emulator.
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    server.run()


if __name__ == "__main__":
    main()
