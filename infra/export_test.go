package infra

// SubnetRanges is for its table of tests.
var SubnetRanges = subnetRanges

// InstanceTypes are for their table of tests.
var (
	IsNitro = isNitro
	GoArch  = goarch
)
