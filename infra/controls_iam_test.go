package infra_test

import (
	"slices"
	"strings"

	"vinfast-classifier/infra"
	"vinfast-classifier/infra/rehearsal"
)

// policies are the inputs that hold policy documents of roles.
func rolePolicies(check func(rehearsal.Statement) string) func(*plan) []string {
	return each("RolePolicy", func(r *record) string {
		statements := r.Statements("policy")
		if len(statements) == 0 {
			return "has no statements"
		}
		for _, s := range statements {
			if complaint := check(s); complaint != "" {
				return "statement " + s.Sid + " " + complaint
			}
		}
		return ""
	})
}

// put changes the first statement of a policy.
func put(kind, name, key string, change func(*rehearsal.Statement)) func(*plan) {
	return func(p *plan) {
		r := p.One(kind, name)
		statements := r.Statements(key)
		change(&statements[0])
		r.SetStatements(key, statements)
	}
}

func iamControls() []control {
	return []control{
		{"IAM.21", "no wildcard actions", rolePolicies(func(s rehearsal.Statement) string {
			for _, a := range s.Action {
				if strings.Contains(a, "*") {
					return "allows " + a
				}
			}
			return ""
		}), put("RolePolicy", "web", "policy", func(s *rehearsal.Statement) { s.Action = []string{"ssm:*"} }), []string{"SSM.1"}},
		{"IAM.1", "a resource * has its reason", func(p *plan) []string {
			reasoned := func(r *record) string {
				for _, s := range r.Statements("policy") {
					if slices.Contains(s.Resource, "*") && infra.Wildcards[s.Sid] == "" {
						return "statement " + s.Sid + " is for every resource, for no reason given"
					}
				}
				return ""
			}
			return append(each("RolePolicy", reasoned)(p), each("VpcEndpoint", reasoned)(p)...)
		}, func(p *plan) {
			r := p.One("RolePolicy", "database")
			statements := r.Statements("policy")
			statements[len(statements)-1].Resource = []string{"*"}
			r.SetStatements("policy", statements)
		}, nil},
		{"CKV_AWS_274", "managed policies are AWS Backup's only", func(p *plan) []string {
			bad := each("RolePolicyAttachment", func(r *record) string {
				return unless(strings.Contains(r.Text("policyArn"), "/AWSBackupServiceRolePolicyFor"), "attaches "+r.Text("policyArn"))
			})(p)
			return append(bad, each("Role", func(r *record) string {
				return unless(r.At("managedPolicyArns") == nil && r.At("inlinePolicies") == nil, "brings policies of its own")
			})(p)...)
		}, func(p *plan) {
			p.One("Role", "web").Put("managedPolicyArns", []any{"arn:aws:iam::aws:policy/AmazonS3FullAccess"})
		}, nil},
		{"CKV_AWS_60", "roles are for one service each", each("Role", func(r *record) string {
			statements := r.Statements("assumeRolePolicy")
			if len(statements) != 1 {
				return "does not have one trust statement"
			}
			principal, _ := statements[0].Principal.(map[string]any)
			service, _ := principal["Service"].(string)
			return unless(strings.HasSuffix(service, ".amazonaws.com") && len(principal) == 1, "trusts others")
		}), put("Role", "web", "assumeRolePolicy", func(s *rehearsal.Statement) { s.Principal = "*" }), []string{"iam_role_cross_service_confused_deputy_prevention"}},
		{"iam_role_cross_service_confused_deputy_prevention", "services act for our account only", each("Role", func(r *record) string {
			for _, s := range r.Statements("assumeRolePolicy") {
				principal, _ := s.Principal.(map[string]any)
				if principal["Service"] == "ec2.amazonaws.com" {
					continue // an exception: EC2 does not name the account
				}
				if !slices.Equal(s.Condition["StringEquals"]["aws:SourceAccount"], []string{rehearsal.Account}) {
					return "can be used for another account"
				}
			}
			return ""
		}), put("Role", "model", "assumeRolePolicy", func(s *rehearsal.Statement) { s.Condition = nil }), nil},
		{"iam_policy_allows_privilege_escalation", "roles are passed to EC2 only, by the restore role", func(p *plan) []string {
			return each("RolePolicy", func(r *record) string {
				for _, s := range r.Statements("policy") {
					for _, a := range s.Action {
						if strings.HasPrefix(a, "iam:") && (r.Name != "restore" || a != "iam:PassRole" ||
							!slices.Equal(s.Condition["StringEquals"]["iam:PassedToService"], []string{"ec2.amazonaws.com"})) {
							return "statement " + s.Sid + " allows " + a
						}
					}
				}
				return ""
			})(p)
		}, put("RolePolicy", "restore", "policy", func(s *rehearsal.Statement) { s.Condition = nil }), nil},
		{"D7 log groups", "nobody makes log groups", rolePolicies(func(s rehearsal.Statement) string {
			return unless(!slices.Contains(s.Action, "logs:CreateLogGroup") && !slices.Contains(s.Action, "logs:PutRetentionPolicy"), "makes log groups")
		}), put("RolePolicy", "model", "policy", func(s *rehearsal.Statement) { s.Action = append(s.Action, "logs:CreateLogGroup") }), nil},
		{"D8 images", "the app touches its own prefix, and no dumps", func(p *plan) []string {
			want := map[string][]string{
				"Images":     {"s3:DeleteObject", "s3:GetObject", "s3:PutObject", "arn:aws:s3:::images-1a2b3c4/images/*"},
				"ListImages": {"s3:ListBucket", "arn:aws:s3:::images-1a2b3c4"},
			}
			for _, s := range p.One("RolePolicy", "web").Statements("policy") {
				if got, ok := want[s.Sid]; ok && slices.Equal(append(s.Action, s.Resource...), got) {
					delete(want, s.Sid)
				} else if slices.ContainsFunc(s.Resource, func(r string) bool { return strings.Contains(r, "arn:aws:s3:::images") }) {
					return []string{"statement " + s.Sid + " goes further"}
				}
			}
			return some(len(want) == 0, "the app cannot do its work on the image bucket")
		}, without("RolePolicy", "web", "policy", "Images"), nil},
		{"D8 doctor", "the doctor may look for its line", mayDo("web", "logs:FilterLogEvents"),
			without("RolePolicy", "web", "policy", "AppLog"), nil},
		{"D8 pull", "the endpoint may pull its image", func(p *plan) []string {
			return slices.Concat(mayDo("model", "ecr:BatchCheckLayerAvailability")(p), mayDo("model", "ecr:GetDownloadUrlForLayer")(p),
				mayDo("model", "ecr:BatchGetImage")(p), mayDo("model", "ecr:GetAuthorizationToken")(p))
		}, without("RolePolicy", "model", "policy", "PullImage"), nil},
		{"D8 restore role", "a restored instance can get its role", mayDo("restore", "iam:PassRole"),
			remove("RolePolicy", "restore"), nil},
		{"D8 backup role", "backing up and restoring covers S3", func(p *plan) []string {
			want := []string{"service-role/AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForS3Backup",
				"service-role/AWSBackupServiceRolePolicyForRestores", "AWSBackupServiceRolePolicyForS3Restore"}
			var bad []string
			for _, w := range want {
				bad = append(bad, some(slices.ContainsFunc(p.Of("RolePolicyAttachment"), func(r *record) bool {
					return r.Text("policyArn") == "arn:aws:iam::aws:policy/"+w
				}), "%s is not attached", w)...)
			}
			return bad
		}, remove("RolePolicyAttachment", "restore-2"), nil},
	}
}

func mayDo(role, action string) func(*plan) []string {
	return func(p *plan) []string {
		return some(slices.Contains(actionsOf(p.One("RolePolicy", role)), action), "role %s may not %s", role, action)
	}
}
