using System.Text.Json.Serialization;
using FedServerless.Privacy;

namespace FedServerless.Wire;

/// <summary>The one JSON context of the HTTP protocol: camelCase, unknown fields passed over, nulls written, finite numbers only.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified,
    UnmappedMemberHandling = JsonUnmappedMemberHandling.Skip,
    AllowDuplicateProperties = false,
    RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true,
    MaxDepth = 16)]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(RunSpec))]
[JsonSerializable(typeof(CheckInRequest))]
[JsonSerializable(typeof(CheckInResponse))]
[JsonSerializable(typeof(DeviceMeasurements))]
[JsonSerializable(typeof(LeaseChoice))]
[JsonSerializable(typeof(EnrolRequest))]
[JsonSerializable(typeof(EnrolResponse))]
[JsonSerializable(typeof(UploadRequest))]
[JsonSerializable(typeof(UploadResponse))]
[JsonSerializable(typeof(PartUpload))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(CommitResponse))]
[JsonSerializable(typeof(ReceiptStatus))]
[JsonSerializable(typeof(Evaluation))]
[JsonSerializable(typeof(CreateRunRequest))]
[JsonSerializable(typeof(RunView))]
[JsonSerializable(typeof(LogPage))]
[JsonSerializable(typeof(RoundView))]
[JsonSerializable(typeof(VersionView))]
[JsonSerializable(typeof(ModelUploadRequest))]
[JsonSerializable(typeof(CreateModelRequest))]
[JsonSerializable(typeof(RollbackRequest))]
[JsonSerializable(typeof(ClientView))]
[JsonSerializable(typeof(CreateEnrolmentRequest))]
[JsonSerializable(typeof(CreateEnrolmentResponse))]
[JsonSerializable(typeof(SetBudgetRequest))]
[JsonSerializable(typeof(BudgetView))]
[JsonSerializable(typeof(PrivacyReport))]
[JsonSerializable(typeof(LedgerPage))]
[JsonSerializable(typeof(LedgerNoteRequest))]
[JsonSerializable(typeof(LedgerNoteView))]
[JsonSerializable(typeof(AuditRecord))]
[JsonSerializable(typeof(AuditPage))]
[JsonSerializable(typeof(Listing<RunView>))]
[JsonSerializable(typeof(Listing<RoundView>))]
[JsonSerializable(typeof(Listing<RoundClientView>))]
[JsonSerializable(typeof(Listing<VersionView>))]
[JsonSerializable(typeof(Listing<ClientView>))]
public sealed partial class WireJson : JsonSerializerContext;
