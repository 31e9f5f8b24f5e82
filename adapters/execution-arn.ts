/** Derives the ARN of an execution of Step Functions from the state machine's and the name. */
export const executionArn = (workflowArn: string, name: string): string =>
  `${workflowArn.replace(':stateMachine:', ':execution:')}:${name}`;
