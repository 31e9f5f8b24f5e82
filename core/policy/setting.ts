/** A setting with the place that it comes from: a path in the configuration, or `default`. */
export interface Setting<Value> {
  readonly value: Value;
  readonly from: string;
}
