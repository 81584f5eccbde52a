// An OpenID Connect provider for the tests: npm's oidc-provider, configured. It says its issuer once it listens.
// Its only argument is JSON: {port, keys: JWKS with private keys, deviceSeconds}; without keys it signs with those
// that oidc-provider has for trying it out.
import Provider from 'oidc-provider';

const { port, keys, deviceSeconds } = JSON.parse(process.argv[2]);
const issuer = `http://127.0.0.1:${port}`;
const TENANT = '11111111-2222-3333-4444-555555555555';

// What each login adds to its token; any password does.
const PEOPLE = {
  entra: { tid: TENANT, oid: 'aaaaaaaa-0000-0000-0000-000000000001', roles: ['Fleet.Approver', 'Else'] },
  elsewhere: { tid: '99999999-2222-3333-4444-555555555555', oid: 'aaaaaaaa-0000-0000-0000-000000000001' },
  hasgroups: { tid: TENANT, oid: 'aaaaaaaa-0000-0000-0000-000000000002', hasgroups: true },
  overage: {
    tid: TENANT,
    oid: 'aaaaaaaa-0000-0000-0000-000000000003',
    _claim_names: { groups: 'src1' },
    _claim_sources: { src1: { endpoint: 'https://graph.example.com/groups' } },
  },
  grouped: { tid: TENANT, oid: 'aaaaaaaa-0000-0000-0000-000000000004', groups: ['leads'] },
  unnamed: { name: 'line\none\u202e', email: undefined },
};

const provider = new Provider(issuer, {
  jwks: keys,
  clients: [
    {
      client_id: 'fleetcast',
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:device_code'],
      response_types: ['code'],
      redirect_uris: ['http://127.0.0.1/sign-in/done', 'http://127.0.0.1/sign-in/oidc/callback'],
    },
    {
      client_id: 'secretive',
      client_secret: 'sesame+/ sesame',
      application_type: 'native',
      token_endpoint_auth_method: 'client_secret_basic',
      redirect_uris: ['http://127.0.0.1/sign-in/done'],
    },
  ],
  claims: {
    openid: ['sub', 'tid', 'oid', 'roles', 'groups', 'hasgroups', '_claim_names', '_claim_sources'],
    profile: ['name'],
    email: ['email'],
  },
  features: {
    devInteractions: { enabled: true },
    deviceFlow: { enabled: true },
    userinfo: { enabled: true },
    claimsParameter: { enabled: false },
  },
  pkce: { required: () => true },
  ttl: { DeviceCode: deviceSeconds ?? 600 },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `Name of ${id}`, email: `${id}@example.com`, ...PEOPLE[id] }),
  }),
});

const server = provider.listen(port, '127.0.0.1', () => console.log(`listening at ${issuer}`));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
