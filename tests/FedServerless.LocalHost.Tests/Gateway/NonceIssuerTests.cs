using System.Buffers.Text;
using FedServerless.Gateway.Authentication;
using FedServerless.Testing;

namespace FedServerless.LocalHost.Tests.Gateway;

public sealed class NonceIssuerTests
{
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void IsFresh_OfTheSecretBeforeARotation_IsAccepted()
    {
        var secrets = new TurningSecrets { Ring = new SecretRing(Secret(1)) };
        var issuer = new NonceIssuer(secrets, _time);
        var old = issuer.Fresh();

        secrets.Ring = new SecretRing(Secret(2), Secret(1));

        Assert.True(issuer.IsFresh(old));
        Assert.NotEqual(old, issuer.Fresh());
        Assert.True(issuer.IsFresh(issuer.Fresh()));
    }

    [Fact]
    public void IsFresh_OfTheSecretBeforeTheLastTwo_IsRefused()
    {
        var old = Issuer(new SecretRing(Secret(1))).Fresh();

        Assert.False(Issuer(new SecretRing(Secret(3), Secret(2))).IsFresh(old));
    }

    [Fact]
    public void IsFresh_OfASecretThatIsNotKnownYet_IsRefusedAndTheSecretsAreLookedUp()
    {
        var secrets = new TurningSecrets { Ring = new SecretRing(Secret(1)) };

        Assert.False(new NonceIssuer(secrets, _time).IsFresh(Issuer(new SecretRing(Secret(2), Secret(1))).Fresh()));
        Assert.Equal(1, secrets.Hints);
    }

    [Fact]
    public void IsFresh_TooOldOrGarbage_AsksForNoSecrets()
    {
        var secrets = new TurningSecrets { Ring = new SecretRing(Secret(1)) };
        var old = Issuer(new SecretRing(Secret(2))).Fresh();
        _time.Advance(TimeSpan.FromMinutes(NonceIssuer.OldBuckets + 1));

        Assert.False(new NonceIssuer(secrets, _time).IsFresh(old));
        Assert.False(new NonceIssuer(secrets, _time).IsFresh("garbage"));
        Assert.Equal(0, secrets.Hints);
    }

    [Fact]
    public void IsFresh_AnyBitTurned_IsRefused()
    {
        var issuer = Issuer(new SecretRing(Secret(2), Secret(1)));
        var nonce = Base64Url.DecodeFromChars(issuer.Fresh());

        for (var bit = 0; bit < nonce.Length * 8; bit++)
        {
            var bent = (byte[])nonce.Clone();
            bent[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(issuer.IsFresh(Base64Url.EncodeToString(bent)), $"bit {bit}");
        }
    }

    [Fact]
    public void Fresh_NoSecrets_FailsClosed()
    {
        var issuer = new NonceIssuer(new NoSecrets(), _time);

        Assert.Throws<SecretsUnavailableException>(issuer.Fresh);
        Assert.Throws<SecretsUnavailableException>(() => issuer.IsFresh("anything"));
    }

    [Theory]
    [InlineData(31, false)]
    [InlineData(32, true)]
    [InlineData(33, true)]
    public void MasterSecret_Length_HasAMinimum(int bytes, bool legal)
    {
        var refused = Record.Exception(() => new MasterSecret("kid", new byte[bytes]));

        Assert.Equal(legal, refused is null);
    }

    private NonceIssuer Issuer(SecretRing ring) => new(new FixedSecrets(ring), _time);

    private static MasterSecret Secret(byte seed) => new($"{seed}", Enumerable.Repeat(seed, 32).ToArray());

    private sealed class TurningSecrets : IServerSecrets
    {
        public required SecretRing Ring { get; set; }

        public int Hints { get; private set; }

        public Task WaitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void NoteUnknownKid() => Hints++;
    }

    private sealed class NoSecrets : IServerSecrets
    {
        public SecretRing Ring => throw new SecretsUnavailableException("None was read yet.");

        public Task WaitAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void NoteUnknownKid()
        {
        }
    }
}
