"""The private names of the emulator (MiniStack) that the local cloud reads, replaces or adds: all, and here alone.

An entry is a name, with the names of its parameters where it is a function; `replaced` and `added` mark what the
extension puts there. `emulator.verify` holds the list against the emulator at the start, so an upgrade of MiniStack
begins with a diff of this file. Elsewhere a name is used without its underscore: `seams.sqs.queues` is `_queues` of
`ministack.services.sqs`. Tables that the emulator looks up by name are listed too where the extension adds to them.
"""

from collections.abc import ItemsView
from typing import Any

from cloud.emulator import Seam

app = Seam(
    "ministack.app",
    "replaced app(scope, receive, send)",
    "replaced call_service_handler_sync(handler, method, path, headers, body, query_params, timeout)",
    "replaced _port_is_bindable(host, port)",
    "replaced _reset_all_state()",
    "SERVICE_HANDLERS",
)
iam_actions = Seam(
    "ministack.core.iam_actions",
    "replaced extract_resource_arn(service, method, path, headers, body, query_params, region, account_id)",
    "_param(body, query_params, *fields)",
    "_QUERY_XML_NS",
    "replaced request_tag_context(service, iam_action, body, params)",
    "replaced s3_service_context(iam_action, query_params, path, headers)",
    "_SERVICE_PROTOCOL",
    "SERVICE_TO_IAM_NAMESPACE",
)
iam_evaluator = Seam(
    "ministack.core.iam_evaluator",
    "replaced authenticate(access_key_id, account_id)",
    "replaced _conditions_met(conditions, ctx)",
    "replaced enforce(access_key_id, iam_action, service, region, resource_arn, service_context)",
    "replaced _first_match(ctx, stmts, effect)",
    "_request_caller_arn",
    "replaced _resolve_condition_key(key, ctx)",
    "_RESOURCE_POLICY_LOOKUPS",
    "_signed_request",
)
lambda_runtime = Seam(
    "ministack.core.lambda_runtime",
    "_account_region_from_function_config(config)",
    "_lock",
    "_NODEJS_WORKER_SCRIPT",
    "Worker",
    "Worker._cold",
    "Worker._discard_tmpdir(self)",
    "Worker._lock",
    "Worker._proc",
    "Worker._spawn(self)",
    "Worker._start_time",
    "Worker._stderr_queue",
    "Worker._stderr_thread",
    "Worker._tmpdir",
    "replaced _worker_class_for(config)",
    "_workers",
)
responses = Seam("ministack.core.responses", "AccountRegionScopedDict._data", "_request_account_id", "_request_region")
router = Seam("ministack.core.router", "SERVICE_PATTERNS")
cloudformation = Seam("ministack.services.cloudformation", "_change_sets", "_exports", "_stack_events", "_stacks")
changesets = Seam(
    "ministack.services.cloudformation.changesets",
    "replaced _create_change_set(params)",
    "replaced _resolve_props_for_diff(template, params, stack_name, stack_id)",
)
custom_resource = Seam(
    "ministack.services.cloudformation.custom_resource",
    "replaced invoke_custom_resource(request_type, logical_id, props, stack_name, stack_id, resource_type, "
    "physical_id, old_props)",
)
engine = Seam(
    "ministack.services.cloudformation.engine",
    "_construct_cfn_tag(tag_name)",
    "_parse_template(template_body)",
    "replaced _resolve_refs(value, resources, params, conditions, mappings, stack_name, stack_id)",
    "replaced validate_template_support(template, conditions, params)",
)
handlers = Seam(
    "ministack.services.cloudformation.handlers",
    "_ACTION_HANDLERS",
    "replaced _continue_update_rollback(params)",
    "replaced _create_stack(params)",
    "replaced _delete_stack(params)",
    "_imported_export_names(stack, stack_name)",
    "_resolve_stack(stack_name)",
    "replaced _update_stack(params)",
)
handlers.dispatches("ACTION_HANDLERS")
helpers = Seam(
    "ministack.services.cloudformation.helpers",
    "_error(code, message, status)",
    "_p(params, key, default)",
    "_resolve_template(params)",
    "_xml(status, root_tag, inner)",
)
provisioners = Seam(
    "ministack.services.cloudformation.provisioners",
    "_CUSTOM_NAME_REPLACEMENT",
    "replaced _cw_metric_alarm_record(name, props)",
    "_DEFERRED_PREDECESSOR_DELETES",
    "replaced _delete_resource(resource_type, physical_id, props, stack_name, logical_id)",
    "replaced _ec2_route_create(logical_id, props, stack_name)",
    "_ec2_route_destination(props)",
    "replaced _ec2_sg_delete(physical_id, props)",
    "_ec2_sg_permissions(rules)",
    "replaced _ec2_subnet_delete(physical_id, props)",
    "_physical_name(stack_name, logical_id, lowercase, max_len, seeded)",
    "replaced _replace_resource(resource_type, physical_id, old_props, new_props, stack_name, logical_id)",
    "_REPLACING_PROPERTIES",
    "_RESOURCE_HANDLERS",
    "replaced _S3_BUCKET_CONFIGURATIONS",
    "replaced _sm_secret_string(props)",
    "replaced _update_resource(resource_type, physical_id, old_props, new_props, stack_name, logical_id, old_attrs)",
)
stacks = Seam(
    "ministack.services.cloudformation.stacks",
    "replaced _add_event(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, "
    "detailed_status)",
    "replaced _provision_keeping_seed(*args)",
    "replaced _resolve_stack_outputs(outputs_defs, conditions, resources, param_values, mappings, stack_name, "
    "stack_id)",
    "replaced _sends_back_failed_update(resource_type)",
    "replaced _update_keeping_seed(*args)",
)
cloudtrail = Seam(
    "ministack.services.cloudtrail",
    "_create_trail(body)",
    "_DEFAULT_EVENT_SELECTORS",
    "_delete_trail(body)",
    "_event_selectors",
    "_put_event_selectors(body)",
    "replaced _scrub(params)",
    "replaced _SCRUB_KEYS",
    "_start_logging(body)",
    "_stop_logging(body)",
    "_trails",
    "_update_trail(body)",
)
cloudwatch = Seam(
    "ministack.services.cloudwatch",
    "_alarms",
    "_calc_stats(points)",
    "replaced cloudformation_put_metric_alarm(alarm)",
    "_composite_alarms",
    "_dashboards",
    "replaced _describe_alarms(params, cbor_data, is_cbor, is_json)",
    "_dims_key(dims)",
    "_dispatch_alarm_actions(alarm, old_state, new_state, reason)",
    "replaced _evaluate_alarm(alarm)",
    "replaced _evaluate_all_alarms()",
    "_evaluate_parent_alarms(child, seen)",
    "replaced _evict_old_metrics()",
    "_metric_bucket(key)",
    "_metrics",
    "_put_composite_alarm(params, cbor_data, is_cbor, is_json)",
    "_record_history(alarm_name, old_state, new_state, reason, alarm_type, reason_data)",
    "_stat_value(stats, stat_name, points)",
    "replaced time",
)
cloudwatch_logs = Seam("ministack.services.cloudwatch_logs", "_log_groups")
documentdb = Seam(
    "ministack.services.documentdb", "_ACTION_MAP", "_clusters", "_error(code, message, status)", "_instances"
)
dynamodb = Seam(
    "ministack.services.dynamodb", "_update_continuous_backups(data)", "_update_table(data)", "_update_ttl(data)"
)
ec2 = Seam(
    "ministack.services.ec2",
    "_accept_vpc_peering_connection(params)",
    "_create_flow_logs(params)",
    "_create_vpc_peering_connection(params)",
    "_flow_logs",
    "_route_tables",
    "_security_groups",
    "_sg_rule_id(sg_id, is_egress, rule)",
    "_strip_descriptions(rule)",
    "_subnets",
    "_vpc_endpoints",
    "_vpc_peering",
    "_vpcs",
)
elasticache = Seam(
    "ministack.services.elasticache",
    "replaced _create_user(p)",
    "_error(code, message, status)",
    "replaced _modify_user(p)",
    "_tags",
    "_users",
)
eventbridge = Seam(
    "ministack.services.eventbridge",
    "_archive_event(event, view)",
    "added bus_policy_for_arn",
    "_coerce_timestamp(value)",
    "_create_archive(data)",
    "_cron_next_fire(fields, after_dt)",
    "_delete_archive(data)",
    "replaced _delete_rule(data)",
    "replaced _dispatch_event(event, view)",
    "replaced _dispatch_to_lambda(arn, payload)",
    "replaced _dispatch_to_sns(arn, payload)",
    "replaced _dispatch_to_sqs(spec, payload, sqs_parameters)",
    "replaced _dispatch_to_stepfunctions(arn, payload)",
    "_event_bus_name_from_ref(name)",
    "_event_bus_policies",
    "_event_buses",
    "_events_log_list()",
    "replaced _invoke_target(target, event, rule, view)",
    "replaced _list_rules(data)",
    "_matches_pattern_view(pattern_str, view, owner)",
    "_now_ts()",
    "_parse_cron_fields(expr)",
    "_pattern_event_view(event)",
    "replaced _put_events(data, allow_aws_source)",
    "replaced _put_targets(data)",
    "_remove_permission(data)",
    "_rule_key(rule_name, bus_name)",
    "_rules",
    "_targets",
    "_update_archive(data)",
    "replaced _validate_target_arn(target)",
)
iam = Seam(
    "ministack.services.iam",
    "_access_keys",
    "_error(status, code, message, ns)",
    "_extract_tags(p)",
    "_IAM_HANDLERS",
    "_oidc_providers",
    "_p(params, key, default)",
    "_policies",
    "_roles",
    "_user_inline_policies",
    "_users",
    "_xml(status, root_tag, inner, ns)",
)
kms = Seam("ministack.services.kms", "_aliases", "_resolve_key(key_id_or_arn)")
lambda_svc = Seam(
    "ministack.services.lambda_svc",
    "replaced _ACCOUNT_CONCURRENCY_CAP",
    "replaced _build_function_url_event(url_id, account_id, region, method, path, headers, body, query_params, "
    "source_ip, anonymous, trace_root)",
    "replaced _create_esm(data)",
    "_durable_env_overlay()",
    "replaced _emit_lambda_logs(func, request_id, log_text, error, duration_ms, log_source)",
    "replaced _emit_lambda_metrics(function_name, duration_ms, error, throttle)",
    "_ensure_reaper_thread()",
    "_ESM_BACKOFF_SECONDS",
    "_esm_backoff_until",
    "_esms",
    "_execute_function(func, event)",
    "replaced _execute_function_dispatch(func, config, event, request_id, started)",
    "replaced _execute_function_warm(func, event, request_id)",
    "replaced _execute_function_with_config_scope(func, event)",
    "_execution_record_for_config(func, config)",
    "_functions",
    "_get_func_record_for_qualifier(name, qualifier)",
    "_get_func_record_for_ref(function_ref)",
    "replaced invoke_async_with_retry(func, event)",
    "_invoke_depth",
    "_reserved_concurrency(func, config)",
    "_resolve_layer_zip(attachment)",
    "_resolve_name_and_qualifier(name_or_arn)",
    "replaced _run_sqs_batch(esm, func_rec, event, batch, queue_url, queue_name)",
    "_run_with_function_config_scope(func_or_config, callback, *args, **kwargs)",
    "replaced _sqs_esm_concurrency(esm, func_rec, config, queue)",
    "replaced _throttle_response(reason_code, msg, retry_after)",
    "_vpc_config_with_id(request_config)",
    "_xray_trace_id_for_invocation(config, inbound_trace_header)",
)
rds = Seam(
    "ministack.services.rds",
    "_ACTION_MAP",
    "replaced _cluster_xml(c)",
    "_clusters",
    "_error(code, message, status)",
    "_instances",
    "replaced _sync_cluster_endpoints(cluster)",
)
s3 = Seam(
    "ministack.services.s3",
    "_bucket_has_versions(name)",
    "_bucket_object_lock",
    "_bucket_policies",
    "_bucket_versioning",
    "_buckets",
    "replaced _check_put_preconditions(headers, existing_obj)",
    "_delete_bucket_encryption(name)",
    "_error(code, message, status, resource, extra, headers)",
    "replaced _get_object(bucket_name, key, headers, query_params)",
    "replaced _get_object_retention(bucket_name, key, query_params)",
    "handle_request(method, path, headers, body, query_params, signed_path, enforce_bucket_region, internal, "
    "access_point_region, access_point)",
    "replaced _object_lock_header_error(bucket_name, headers)",
    "_object_versions",
    "_put_bucket_encryption(name, body)",
    "replaced _put_bucket_versioning(name, body)",
    "_put_object_lock_configuration(bucket_name, body)",
    "replaced _put_object_retention(bucket_name, key, body, headers, query_params)",
    "_qp(params, key, default)",
    "replaced _resolve_sse_write_headers(headers, bucket_name)",
)
scheduler = Seam("ministack.services.scheduler", "_schedules")
secretsmanager = Seam(
    "ministack.services.secretsmanager",
    "replaced _apply_current_promotion(secret, new_vid)",
    "replaced _create_secret(data)",
    "_delete_resource_policy(data)",
    "replaced _delete_secret(data)",
    "replaced _describe_secret(data)",
    "_emit_secret_label_updated(secret, label, version_id)",
    "_get_random_password(data)",
    "replaced _get_secret_value(data)",
    "replaced handle_request(method, path, headers, body, query_params)",
    "_is_replica(secret)",
    "replaced _list_secret_version_ids(data)",
    "replaced _list_secrets(data)",
    "_put_resource_policy(data)",
    "replaced _put_secret_value(data)",
    "replaced _resolve(secret_id, use_arn_scope)",
    "replaced _rotate_secret(data)",
    "_secret_scope_from_arn(secret_id)",
    "_secrets",
    "_store_new_secret(name, secret_string, secret_binary, description, tags, kms_key_id, "
    "rotation_lambda_arn, rotation_rules)",
    "_sync_replicas(secret)",
    "replaced _update_secret(data)",
    "replaced _update_secret_version_stage(data)",
)
ses_v2 = Seam(
    "ministack.services.ses_v2",
    "_identities",
)
sns = Seam(
    "ministack.services.sns",
    "replaced _deliver_to_lambda(endpoint, envelope, topic_arn, sub_arn, msg_id, raw_message, message_attributes)",
    "replaced _deliver_to_sqs(endpoint, envelope, raw, raw_message, message_group_id, message_dedup_id, "
    "message_attributes, topic_arn)",
    "_topics",
)
sqs = Seam(
    "ministack.services.sqs",
    "replaced _act_add_permission(data, qurl)",
    "replaced _act_change_visibility(data, qurl)",
    "replaced _act_change_visibility_batch(data, qurl)",
    "replaced _act_create_queue(data, _u)",
    "replaced _act_delete_message(data, qurl)",
    "replaced _act_delete_message_batch(data, qurl)",
    "replaced _act_delete_queue(data, qurl)",
    "replaced _act_get_queue_attributes(data, qurl)",
    "replaced _act_get_queue_url(data, _u)",
    "replaced _act_list_queue_tags(data, qurl)",
    "replaced _act_list_queues(data, _u)",
    "replaced _act_purge_queue(data, qurl)",
    "replaced _act_remove_permission(data, qurl)",
    "replaced _act_send_message(data, qurl)",
    "replaced _act_send_message_batch(data, qurl)",
    "replaced _act_set_queue_attributes(data, qurl)",
    "replaced _act_tag_queue(data, qurl)",
    "replaced _act_untag_queue(data, qurl)",
    "replaced _collect_msgs(q, max_n, vis_timeout)",
    "replaced _delete_messages_for_esm(queue_url, receipt_handles)",
    "replaced _dlq_sweep(q)",
    "_Err",
    "replaced _expire_retained(q)",
    "_get_q(url, action)",
    "_HANDLERS",
    "_queue_by_arn(arn)",
    "_queue_name_to_url",
    "_queue_url_for_account(account_id, name)",
    "_queues",
    "replaced _queues_lock",
    "replaced _refresh_counts(q)",
    "replaced time",
)
stepfunctions = Seam(
    "ministack.services.stepfunctions",
    "replaced _add_event(execution, event_type, details)",
    "replaced _apply_input_path(state_def, data, ctx)",
    "replaced _apply_output_path(state_def, data, ctx)",
    "_apply_result_path(state_def, original, result)",
    "_apply_result_selector(state_def, data)",
    "_AWS_SDK_ERROR_PREFIX",
    "replaced _call_lambda(func_ref, event)",
    "replaced _emit_execution_status_event(execution)",
    "replaced _error_matches(error_equals, error)",
    "replaced _execute_choice(state_def, raw_input, ctx)",
    "replaced _execute_map(state_def, raw_input, execution, ctx)",
    "replaced _execute_parallel(state_def, raw_input, execution, ctx)",
    "replaced _execute_pass(state_def, raw_input, ctx)",
    "replaced _execute_task(state_def, raw_input, execution, ctx)",
    "replaced _execute_wait(state_def, raw_input, ctx)",
    "_ExecutionError",
    "_executions",
    "replaced _fail_execution(execution, error, cause)",
    "replaced _find_matching_retrier(retriers, error, retry_counts)",
    "replaced _invoke_aws_sdk_integration(resource, input_data)",
    "replaced _invoke_resource(resource, input_data)",
    "replaced _invoke_resource_with_timeout(resource, input_data, timeout)",
    "replaced _invoke_with_callback(resource, input_data, token, state_def)",
    "replaced _nested_start_execution_request(input_data)",
    "_map_runs",
    "_next_or_end(state_def)",
    "_parse_jsonpath_tokens(path)",
    "_read_map_items(reader, effective, ctx)",
    "replaced _resolve_params_obj(template, data, ctx)",
    "_resolve_path_or_ctx(path, data, ctx)",
    "_resolve_state_machine_arn(arn)",
    "replaced _run_distributed_map(state_def, raw_input, effective, iterator, execution, ctx)",
    "replaced _run_execution(exec_arn)",
    "replaced _run_map_items(state_def, raw_input, execution, ctx)",
    "replaced _run_parallel_branches(state_def, raw_input, execution, ctx)",
    "replaced _run_sub_machine(states, start_at, input_data, execution, ctx)",
    "_SERVICE_DISPATCH",
    "replaced _start_execution(data)",
    "_state_machines",
    "_task_tokens",
)
sts = Seam(
    "ministack.services.sts",
    "replaced handle_request(method, path, headers, body, query_params)",
    "_role_id(role_arn)",
    "_sessions",
    "replaced _web_identity_principal(token, provider_id, role_arn)",
)


def entries_of_every_account(table: Any) -> ItemsView:
    """The entries of one of the emulator's tables by account, region and key; it shows only those of one account."""
    return table._data.items()  # noqa: SLF001
