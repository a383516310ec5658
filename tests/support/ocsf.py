# SPDX-License-Identifier: Apache-2.0
"""The part of OCSF 1.6.0 that events can use, by its published names, and a check against it.

From the schema's definitions: events/, objects/, profiles/ and extensions/linux.
``!`` marks a required attribute.
"""

from __future__ import annotations

_BASE = """
    activity_id! activity_name category_uid! category_name class_uid! class_name count duration
    end_time enrichments message metadata! observables raw_data severity severity_id! start_time
    status status_code status_detail status_id time! timezone_offset type_name type_uid! unmapped
"""
_PROFILES = {
    "host": "actor device",
    "security_control": """
        action action_id attacks authorizations confidence confidence_id confidence_score
        disposition disposition_id firewall_rule is_alert malware policy risk_details risk_level
        risk_level_id risk_score
    """,
    "linux/linux_users": "",
    "container": "",
}
_NETWORK = """
    app_name connection_info dst_endpoint ja4_fingerprint_list proxy src_endpoint tls traffic
"""
CLASSES = {
    0: _BASE,
    1007: f"""{_BASE} actor! device! actual_permissions exit_code injection_type injection_type_id
        module process! requested_permissions""",
    2004: f"""{_BASE} comment confidence confidence_id confidence_score device finding_info!
        vendor_attributes anomaly_analyses evidences impact impact_id impact_score is_alert malware
        remediation resources risk_details risk_level risk_level_id risk_score vulnerabilities""",
    4001: f"{_BASE} {_NETWORK} is_src_dst_assignment_known url",
    4003: f"{_BASE} {_NETWORK} answers query query_time rcode rcode_id response_time",
    5020: f"{_BASE} actor device! product sbom",
}
OBJECTS = {
    "metadata": """correlation_uid debug event_code extension extensions is_truncated labels
        log_level log_name log_provider log_version logged_time loggers modified_time original_time
        processed_time product! profiles sequence tags tenant_uid transformation_info_list uid
        untruncated_size version!""",
    "product": "cpe_name feature lang name path uid url_string vendor_name version",
    "device": """boot_time boot_uid created_time desc domain first_seen_time groups hostname
        hypervisor image ip is_managed last_seen_time location mac model name
        network_interfaces org os os_machine_uuid owner region subnet type type_id! uid uid_alt
        vendor_name zone""",
    "os": "build cpe_name cpu_bits edition kernel_release lang name! type type_id! version",
    "actor": "app_name app_uid authorizations idp invoked_by process session user",
    "process": """ancestry cmd_line cpid created_time environment_variables file integrity
        integrity_id lineage loaded_modules name parent_process path pid ptid sandbox session
        terminated_time tid uid user working_directory xattributes auid egid euid group container
        namespace_pid""",
    "container": "hash image labels name network_driver orchestrator pod_uuid runtime size tag uid",
    "file": """accessed_time accessor attributes created_time creator desc ext hashes
        internal_name is_deleted is_readonly is_system mime_type modified_time modifier name! owner
        parent_folder path product signature size tags type type_id! uid uri url version volume
        xattributes""",
    "user": """account credential_uid display_name domain email_addr full_name groups name org
        type type_id uid uid_alt""",
    "session": """count created_time credential_uid expiration_reason expiration_time is_mfa
        is_remote is_vpn issuer terminal uid uid_alt uuid""",
    "policy": "data desc group is_applied name type uid version",
    "endpoint": """autonomous_system container domain hostname hw_info instance_uid
        interface_name interface_uid intermediate_ips ip location mac name os owner port
        proxy_endpoint subnet_uid svc_name type type_id uid vlan_uid vpc_uid zone""",
    "connection_info": """boundary boundary_id community_uid direction direction_id! flag_history
        protocol_name protocol_num protocol_ver protocol_ver_id session tcp_flags uid""",
    "traffic": """bytes bytes_in bytes_missed bytes_out chunks chunks_in chunks_out packets
        packets_in packets_out""",
    "query": "class hostname! opcode opcode_id packet_uid type",
    "answers": "class flag_ids flags packet_uid rdata! ttl type",
    "finding_info": """analytic attack_graph attacks created_time data_sources desc
        first_seen_time kill_chain last_seen_time modified_time product product_uid
        related_analytics related_events related_events_count src_url tags title traits types uid!
        uid_alt""",
    "analytic": """algorithm category desc name related_analytics state state_id type type_id! uid
        version""",
    "evidences": """actor api connection_info container data database databucket device
        dst_endpoint email file http_request http_response ja4_fingerprint_list job name process
        query resources script src_endpoint tls uid url user verdict verdict_id""",
}
_TYPES = {"parent_process": "process", "src_endpoint": "endpoint", "dst_endpoint": "endpoint"}
ENUMERATIONS: dict[str, set[object]] = {
    "severity_id": {0, 1, 2, 3, 4, 5, 6, 99},
    "status_id": {0, 1, 2, 99},
    "action_id": {0, 1, 2, 3, 4, 99},
    "disposition_id": {*range(28), 99},
    "confidence_id": {0, 1, 2, 3, 99},
    "direction_id": {0, 1, 2, 3, 99},
    "protocol_ver_id": {0, 4, 6, 99},
    "rcode_id": {*range(12), *range(16, 26), 99},
}
ACTIVITIES: dict[int, dict[int, str | None]] = {
    0: {0: "Unknown", 99: None},
    1007: {1: "Launch", 2: "Terminate", 3: "Open", 4: "Inject", 5: "Set User ID"},
    2004: {1: "Create", 2: "Update", 3: "Close"},
    4001: {1: "Open", 2: "Close", 3: "Reset", 4: "Fail", 5: "Refuse", 6: "Traffic", 7: "Listen"},
    4003: {1: "Query", 2: "Response", 6: "Traffic"},
    5020: {1: "Log", 2: "Collect"},
}


def problems(event: dict[str, object]) -> list[str]:
    """Say what in an event is not as published; nothing where it is."""
    kind, activity = event["class_uid"], event["activity_id"]
    assert isinstance(kind, int)
    assert isinstance(activity, int)
    metadata = event["metadata"]
    assert isinstance(metadata, dict)
    found = []
    if activity not in ACTIVITIES[kind]:
        found.append(f"activity_id {activity}")
    elif ACTIVITIES[kind][activity] not in {None, event["activity_name"]}:
        found.append(f"activity_name {event['activity_name']}")
    if event["type_uid"] != kind * 100 + activity or event["category_uid"] != kind // 1000:
        found.append(f"type_uid {event['type_uid']}, category_uid {event['category_uid']}")
    names = " ".join([CLASSES[kind], *(_PROFILES[name] for name in metadata["profiles"])])
    if kind in {4001, 4003} and not event.keys() & {"src_endpoint", "dst_endpoint"}:
        found.append("neither src_endpoint nor dst_endpoint")
    return [*found, *_look(f"{kind}", names, event)]


def _look(where: str, names: str, value: dict[str, object]) -> list[str]:
    allowed = {name.rstrip("!") for name in names.split()}
    required = {name.rstrip("!") for name in names.split() if name.endswith("!")}
    found = [f"{where} lacks {name}" for name in sorted(required - value.keys())]
    for name, inner in value.items():
        if name not in allowed:
            found.append(f"{where} has {name}")
        elif name in ENUMERATIONS and inner not in ENUMERATIONS[name]:
            found.append(f"{where}.{name} is {inner}")
        elif inner is None:
            found.append(f"{where}.{name} is null")
        elif name != "unmapped":
            found += [
                problem
                for one in (inner if isinstance(inner, list) else [inner])
                if isinstance(one, dict)
                for problem in _look(f"{where}.{name}", OBJECTS[_TYPES.get(name, name)], one)
            ]
    return found
